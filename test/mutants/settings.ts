import { type Mutant, mutantsOf } from './mutant.ts'

/** What the settings may not be. */
export const SETTINGS: readonly Mutant[] = [
  ...mutantsOf(
    'config/rules.ts',
    ['config/rules'],
    [
      ['required settings may be missing', '    ...missing(draft),\n', ''],
      ['any key set is taken', '    ...keySetProblems(draft),\n', ''],
      [
        'a certificate for the key set needs no key',
        "    ...pair(draft, 'jwks_client_cert_file', 'jwks_client_key_file'),\n",
        '',
      ],
      [
        'a certificate for the upstream needs no key',
        "    ...pair(draft, 'upstream_client_cert_file', 'upstream_client_key_file'),\n",
        '',
      ],
      ['TLS settings of a plain upstream are passed over', '    ...upstreamTls(draft),\n', ''],
      ['both listeners may have one port', '    ...listeners(draft),\n', ''],
      ['the upstream may be claimgate itself', '    ...loops(draft),\n', ''],
      [
        'the assertion header may be an identity header',
        '    ...assertionAsIdentity(draft),\n',
        '',
      ],
      ['the status page may be public', '    ...publicStatusPage(draft),\n', ''],
      ['no issuer is needed', "    ['issuer', issuers(draft)],\n", ''],
      ['no audience is needed', "    ['audience', audiences(draft)],\n", ''],
      ['no upstream is needed', "    draft.get('upstream') === undefined &&\n", '    false &&\n'],
      [
        'an upstream at any address of this machine is no loop',
        'isLoopback(dialled.host) || isAny(dialled.host)',
        'isLoopback(dialled.host)',
      ],
      [
        'a listener at every address is no loop',
        '(isLoopback(own.host) || isAny(own.host))',
        'isLoopback(own.host)',
      ],
      ['an upstream on another port is a loop', 'if (dialled.port !== own.port) return false', ''],
      [
        'another spelling of the assertion header may be an identity header',
        'foldName(header) === foldName(assertion)',
        'header === assertion',
      ],
    ],
  ),
  ...mutantsOf(
    'config/key-set-rules.ts',
    ['config/rules'],
    [
      [
        'a file and an endpoint may both be set',
        "if (draft.given('jwks_file')) return [...onlyFile(draft)]",
        "if (draft.given('jwks_file')) return []",
      ],
      [
        'no key set is needed',
        'if (uri === undefined) return [noKeySet(draft)]',
        'if (uri === undefined) return []',
      ],
      [
        'the key set may come over plain HTTP from anywhere',
        "if (!isNear && draft.get('unsafe_http_jwks') === false)",
        'if (false)',
      ],
      [
        'the key set never comes over plain HTTP',
        "if (!isNear && draft.get('unsafe_http_jwks') === false)",
        "if (draft.get('unsafe_http_jwks') === false)",
      ],
      [
        'a name with dots is near',
        'isLoopback(host) || isSingleLabel(host)',
        'isLoopback(host) || /^[\\w.-]+$/.test(host)',
      ],
    ],
  ),
  ...mutantsOf(
    'config/header-names.ts',
    ['config/header-names'],
    [
      ...[
        'connection',
        'content-length',
        'content-type',
        'cookie',
        'expect',
        'forwarded',
        'host',
        'keep-alive',
        'origin',
        'te',
        'trailer',
        'transfer-encoding',
        'upgrade',
        'via',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
      ].map((name) => [`${name} may be an identity header`, `  '${name}',\n`, ''] as const),
      ['Proxy-… may be identity headers', '/^(proxy|sec|', '/^(sec|'],
      ['Sec-… may be identity headers', '/^(proxy|sec|', '/^(proxy|'],
      [
        'another spelling of Host may be an identity header',
        'NOT_FOR_IDENTITY.has(folded)',
        'NOT_FOR_IDENTITY.has(name.toLowerCase())',
      ],
      [
        'a claim may stand where assertions are',
        "if (ASSERTION_HEADERS.has(folded)) return 'not put a claim where assertions are'",
        '',
      ],
      [
        'any text may be a header name',
        'if (!TOKEN.test(name) || !/[0-9A-Za-z]/.test(name))',
        'if (false)',
      ],
      ['a header name may be marks alone', ' || !/[0-9A-Za-z]/.test(name)', ''],
      [
        'the assertion may be in any header',
        'return must === undefined ? { value: text } : { must }',
        'return { value: text }',
      ],
    ],
  ),
  ...mutantsOf(
    'config/to-config.ts',
    ['config/presets'],
    [
      [
        'only the headers of the chosen preset are stripped',
        'reservedHeaders: RESERVED_HEADERS',
        'reservedHeaders: []',
        { tests: ['config/presets'] },
      ],
      [
        'what apps believe besides is not stripped',
        '[...headers.map(({ header }) => header), ...reserved].map(foldName)',
        'headers.map(({ header }) => foldName(header))',
      ],
    ],
  ),
]
