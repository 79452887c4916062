import { type Mutant, mutantsOf } from './mutant.ts'

/** What an answer of ours, the status page and the log tell, and what they must not. */
export const ANSWERS: readonly Mutant[] = [
  ...mutantsOf(
    'pages/problem.ts',
    ['pages/problem'],
    [
      [
        'a refusal may be stored',
        "      'Cache-Control',\n      'no-store',\n      'X-Content-Type-Options'",
        "      'X-Content-Type-Options'",
      ],
      [
        '401 asks for nothing',
        "...(status === 401 ? ['WWW-Authenticate', challenge(error.code, code)] : []),",
        '',
      ],
      [
        '503 does not say when to try again',
        "...(status === 503 ? ['Retry-After', RETRY_AFTER] : []),",
        '',
      ],
      [
        '405 does not say what is allowed',
        "...(status === 405 ? ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] : []),",
        '',
      ],
      ['a page may run scripts', "...(page ? ['Content-Security-Policy', PAGE_POLICY] : []),", ''],
      [
        'error_detail: none shows the code',
        "options.detail === 'code' ? error.code : undefined",
        'error.code',
      ],
      [
        'error_detail: none shows the code in the challenge',
        "if (code === 'ERR_ASSERTION_MISSING' || shown === undefined)",
        "if (code === 'ERR_ASSERTION_MISSING')",
      ],
      [
        'a request without assertion has an invalid one',
        "if (code === 'ERR_ASSERTION_MISSING' || shown === undefined)",
        'if (shown === undefined)',
      ],
      ['nobody gets a page', 'return html > 0 && html >= json', 'return false'],
      ['who prefers JSON gets a page', 'return html > 0 && html >= json', 'return html > 0'],
      ['who refuses HTML gets a page', 'return html > 0 && html >= json', 'return html >= json'],
    ],
  ),
  ...mutantsOf(
    'pages/status.ts',
    ['pages/status'],
    [
      ['a claim can hold markup', 'escapeHtml(value)', 'value'],
      ['the name of a claim can hold markup', 'escapeHtml(name)', 'name'],
      ['a quote is not escaped', 'text.replace(/[&<>"\']/g', 'text.replace(/[&<>]/g'],
      ['the status page may be stored', "      'Cache-Control',\n      'no-store',\n", ''],
      [
        'the status page may run scripts',
        "...(page ? ['Content-Security-Policy', PAGE_POLICY] : []),",
        '',
      ],
      [
        'the status page shows the assertion',
        "looksLikeJws(value) ? '(the assertion)' : value",
        'value',
        { tests: ['server'] },
      ],
      [
        'whoever has no identity is told to be verified',
        "claims === undefined ? 'No verified identity' : 'Verified'",
        "'Verified'",
      ],
    ],
  ),
  ...mutantsOf(
    'exchange.ts',
    ['exchange'],
    [
      [
        'the query is logged',
        'pathOf(head.target).slice(0, PATH_LIMIT)',
        'head.target.slice(0, PATH_LIMIT)',
        { tests: ['server'] },
      ],
      ['a path of any length is logged', '.slice(0, PATH_LIMIT)', ''],
      ['a claim of any length is logged', 'value.slice(0, TEXT_LIMIT)', 'value'],
      [
        'a claim of any kind is logged',
        "typeof value === 'string' ? value.slice(0, TEXT_LIMIT) : undefined",
        'String(value).slice(0, TEXT_LIMIT)',
      ],
      [
        'an exchange counts as forwarded from its beginning',
        "decision: 'reject',",
        "decision: 'forward',",
        { tests: ['server'] },
      ],
    ],
  ),
]
