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
        "...(status === 405 ? ['Allow', error.allow ?? FORWARDED_METHODS] : []),",
        '',
      ],
      ['a page may run scripts', '...(page ? PAGE_HEADERS : []),', ''],
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
      [
        'nobody gets a page',
        'return html > 0 && html >= Math.max(',
        'return false && html >= Math.max(',
      ],
      [
        'who prefers JSON gets a page',
        'html > 0 && html >= Math.max(',
        'html > 0 || html >= Math.max(',
      ],
      ['who refuses HTML gets a page', 'html > 0 && html >= Math.max(', 'html >= Math.max('],
      ['a wildcard says nothing of JSON', ", ['*/*']]", ']'],
      ['media types have a case', '.slice(0, 1024).toLowerCase()', '.slice(0, 1024)'],
    ],
  ),
  ...mutantsOf(
    'pages/status.ts',
    ['pages/status'],
    [
      ['the status page may be stored', "      'Cache-Control',\n      'no-store',\n", ''],
      ['the status page may run scripts', '...(page ? PAGE_HEADERS : []),', ''],
      [
        'the status page shows the assertion',
        "pairs.push([lines[i] ?? '', hideTokens(value)])",
        "pairs.push([lines[i] ?? '', value])",
        { tests: ['server', 'pages/status'] },
      ],
      [
        'the JSON shows a token that stands in a claim',
        'withoutTokens(decision.verified?.claims)',
        'decision.verified?.claims',
      ],
    ],
  ),
  ...mutantsOf(
    'pages/html.ts',
    ['pages/html'],
    [
      ['a quote is not escaped', 'text.replace(/[&<>"\']/g', 'text.replace(/[&<>]/g'],
      ['a sentence can hold markup', 'return escapeHtml(text).replace', 'return text.replace'],
      ['a page may load things', "default-src 'none'; style-src", 'style-src'],
      ['a page may be framed', "; frame-ancestors 'none'`", '`'],
    ],
  ),
  ...mutantsOf(
    'pages/hide-tokens.ts',
    ['pages/hide-tokens'],
    [
      ['a whole token is shown', "return '(the assertion)'", 'return text'],
      ['a token inside a text is shown', "holdsToken(word) ? '(a token)' : word", 'word'],
      ['a token inside a list is shown', 'return value.map(withoutTokens)', 'return value'],
    ],
  ),
  ...mutantsOf(
    'pages/claim-rows.ts',
    ['pages/claim-rows'],
    [
      ['the name of a claim can hold markup', 'escapeHtml(name)}</bdi>', 'name}</bdi>'],
      ['a claim can hold markup', 'escapeHtml(text)}</bdi>', 'text}</bdi>'],
      [
        'the page shows a token that stands in a claim',
        "'string' ? hideTokens(claim)",
        "'string' ? claim",
      ],
    ],
  ),
  ...mutantsOf(
    'pages/status-page.ts',
    ['pages/status-page'],
    [
      [
        'whoever has no identity is told to be verified',
        "heading: 'No verified identity'",
        "heading: 'Verified'",
      ],
      ['a header can hold markup', 'escapeHtml(value)}</bdi>', 'value}</bdi>'],
      ['nobody is said to be signed in', 'if (verified.anonymous)', 'if (false)'],
      ['what was left out of a header is not told', 'dropped === 0\n', 'dropped >= 0\n'],
    ],
  ),
  ...mutantsOf(
    'pages/refusal-page.ts',
    ['pages/refusal-page'],
    [
      [
        'error_detail: none shows on a page what failed',
        "detail === 'code' ? error.code : undefined",
        'error.code',
      ],
      ['the page of one code is that of another', '[error.code, error.status', '[error.status'],
      ['the page of one status is that of another', 'error.status, error.missing', 'error.missing'],
      ['the page of one rule is that of another', 'error.missingRule, options', 'options'],
      ['a page with detail is shown where there may be none', ', options.detail].join', '].join'],
      [
        'error_detail: none tells which rule is missing',
        'code === undefined ? [] : missingWords(error.missingRule)',
        'missingWords(error.missingRule)',
      ],
    ],
  ),
  ...mutantsOf(
    'policy/missing.ts',
    ['policy/missing'],
    [
      ['the address of no entry counts as one', 'near.length === 0', 'rules.length === 0'],
      ['another method counts as missing claims', "'claims' : 'method'", "'claims' : 'claims'"],
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
      ['control characters of a claim reach the log', 'text.replace(UNSEEN, written)', 'text'],
      ['a claim of any length is logged', 'value.slice(0, TEXT_LIMIT)', 'value'],
      [
        'a claim of any kind is logged',
        "if (typeof value !== 'string') return undefined\n  const text = value",
        'const text = String(value)',
      ],
      [
        'an exchange counts as forwarded from its beginning',
        "decision: 'reject',",
        "decision: 'forward',",
        { tests: ['server'] },
      ],
      [
        'a text leaves its place in the line',
        'PLAIN_JSON.test(value) ? ',
        'value !== undefined ? ',
      ],
      ['a quotation mark is plain', '[\\x20\\x21\\x23-\\x5b', '[\\x20-\\x5b'],
      ['a backslash is plain', '\\x23-\\x5b\\x5d-\\x7e]', '\\x23-\\x7e]'],
      ['control characters are plain', '/^[\\x20\\x21\\x23-\\x5b', '/^[\\0-\\x21\\x23-\\x5b'],
      ['a text is plain when it begins so', '\\x5d-\\x7e]*$/', '\\x5d-\\x7e]*/'],
      [
        'what is undefined has a place in the line',
        'const text = (name: string, value: string | undefined): string =>\n  value === undefined ?',
        'const text = (name: string, value: string | undefined): string =>\n  value === null ?',
      ],
      [
        'a word that is undefined has a place in the line',
        'const word = (name: string, value: string | undefined): string =>\n  value === undefined ?',
        'const word = (name: string, value: string | undefined): string =>\n  value === null ?',
      ],
      ['a method needs nothing but its quotes', "text('method'", "word('method'"],
      [
        'log_email does nothing',
        "user === 'with-email' ? loggable(claims?.['email']) : undefined",
        "loggable(claims?.['email'])",
      ],
      ['a client that went away is not told', "exchange.aborted ? ',\"aborted\":true' : ''", "''"],
    ],
  ),
  ...mutantsOf(
    'log.ts',
    ['log'],
    [
      ['lines are written below their level', "    if (log.isLevelEnabled('info'))\n", ''],
      [
        'lines wait for no others',
        '      else timer ??= setTimeout(writePending, BATCH_TIME)\n',
        '      else writePending()\n',
      ],
      [
        'lines wait until they are many',
        '      else timer ??= setTimeout(writePending, BATCH_TIME)\n',
        '',
      ],
      [
        'many lines wait for more',
        'if (pending.length >= BATCH_SIZE) writePending()\n      else timer',
        'timer',
      ],
      ['lines wait for long', 'BATCH_TIME = 20', 'BATCH_TIME = 2_000'],
      [
        'one batch is written into the other',
        "if (writing > 0 || pending === '') return",
        "if (pending === '') return",
      ],
      [
        'what comes while others are written waits for ever',
        "    if (pending !== '') return writePending()\n",
        '',
      ],
      [
        'any number of lines waits',
        'pending.length + writing + line.length > MAX_UNWRITTEN',
        'line.length > MAX_UNWRITTEN',
      ],
      [
        'what is being written does not count',
        'pending.length + writing + line.length',
        'pending.length + line.length',
      ],
      ['what was left out is not counted', '        dropped += 1\n', ''],
      ['what was left out is not told', '    if (lines > 0) onDropped(lines)\n', ''],
      ['what was left out is told again', '    dropped = 0\n    if', '    if'],
      ['a flush of nothing never ends', '      if (writing === 0) written()\n', ''],
      ['a consumer that is gone ends the process', "  stream.on('error', () => undefined)\n", ''],
      ['lines of one second have one time', 'if (time !== last)', 'if (!(time < last + 1_000))'],
    ],
  ),
]
