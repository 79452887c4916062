import { type Mutant, mutantsOf } from './mutant.ts'

/** What must hold of a request before anything else looks at it. */
export const GATE: readonly Mutant[] = [
  ...mutantsOf(
    'proxy/gate.ts',
    ['proxy/gate'],
    [
      ['the request line is not looked at', '  checkRequestLine(head)\n', ''],
      [
        'HTTP/2.0 and 0.9 pass',
        "if (httpVersion !== '1.1' && httpVersion !== '1.0')",
        'if (false)',
      ],
      ['HTTP/1.0 is refused', " && httpVersion !== '1.0')", ')'],
      [
        'CONNECT and TRACE pass',
        "if (REFUSED_METHODS.has(method)) throw malformed('method is refused', 405)",
        '',
      ],
      ['CONNECT passes', "new Set(['CONNECT', 'TRACE'])", "new Set(['TRACE'])"],
      ['TRACE passes', "new Set(['CONNECT', 'TRACE'])", "new Set(['CONNECT'])"],
      [
        'any method passes',
        "if (!METHOD_NAMES.has(method)) throw malformed('method is unknown')",
        '',
      ],
      [
        'a target in absolute form passes',
        "if (!target.startsWith('/')) throw malformed('target is not in origin form')",
        '',
      ],
      [
        'a fragment passes',
        "if (target.includes('#')) throw malformed('target holds a fragment')",
        '',
      ],
      ['a fragment in the query passes', "target.includes('#')", "pathOf(target).includes('#')"],
      [
        'a backslash passes',
        "if (pathOf(target).includes('\\\\')) throw malformed('path holds a backslash')",
        '',
      ],
      [
        'a backslash in the query is refused',
        "pathOf(target).includes('\\\\')",
        "target.includes('\\\\')",
      ],
      ['the query belongs to the path', 'query === -1 ? target : target.slice(0, query)', 'target'],
      [
        'a Host may be absent',
        "if (structure.host === undefined) throw malformed('host is absent')",
        "if (structure.host === undefined) structure.host = 'a'",
      ],
      [
        'a Host may be anything',
        "if (!HOST.test(structure.host)) throw malformed('host is not a valid authority')",
        '',
      ],
      ['a Host may begin with anything', 'const HOST = /^', 'const HOST = /'],
      ['a Host may end with anything', '(?::\\d{0,5})?$/', '(?::\\d{0,5})?/'],
      ['a Host has no port', '(?::\\d{0,5})?$/', '$/'],
      ['an IPv6 Host is refused', '|\\[[0-9A-Fa-f:.]+\\])', ')'],
      ['framing is not looked at', '  checkFraming(head, structure)\n', ''],
      [
        'any expectation passes',
        "if (structure.expect !== undefined && structure.expect.toLowerCase() !== '100-continue')\n    throw malformed('expectation is unknown', 417)",
        '',
      ],
      [
        '100-continue must be in lower case',
        "structure.expect.toLowerCase() !== '100-continue'",
        "structure.expect !== '100-continue'",
      ],
      [
        'upgrades are not looked at',
        'if (structure.upgrade !== undefined) checkUpgrade(head, structure)',
        '',
      ],
      [
        'any number of header lines passes',
        "if (rawHeaders.length > MAX_HEADER_LINES * 2) throw malformed('too many header lines', 431)",
        '',
      ],
      [
        '1000 header lines are too many',
        'rawHeaders.length > MAX_HEADER_LINES * 2',
        'rawHeaders.length >= MAX_HEADER_LINES * 2',
      ],
      ...['content-length', 'expect', 'host', 'trailer', 'transfer-encoding', 'upgrade'].map(
        (name) =>
          [
            `${name} may be repeated`,
            'if (structure[place] !== undefined) throw',
            `if (name.toLowerCase() !== '${name}' && structure[place] !== undefined) throw`,
          ] as const,
      ),
      ...['content-length', 'transfer-encoding'].map(
        (name) =>
          [
            `another spelling of ${name} passes`,
            'if (STRUCTURAL.has(foldName(sent)))',
            `if (foldName(sent) !== '${name}' && STRUCTURAL.has(foldName(sent)))`,
          ] as const,
      ),
      [
        'only underscores are another spelling',
        'STRUCTURAL.has(foldName(sent))',
        "STRUCTURAL.has(sent.toLowerCase().replace(/_/g, '-'))",
      ],
      [
        'a length may be any text',
        "if (!/^\\d+$/.test(contentLength)) throw malformed('content-length is not a number')",
        '',
      ],
      ['a length may have a sign', '/^\\d+$/', '/^[+-]?\\d+$/'],
      ['a length may be a list', '/^\\d+$/', '/^\\d+/'],
      [
        'a length may be larger than any number',
        "if (!Number.isSafeInteger(Number(contentLength))) throw malformed('content-length is too large')",
        '',
      ],
      [
        'chunked with a length passes',
        "if (contentLength !== undefined) throw malformed('content-length and transfer-encoding')",
        '',
      ],
      [
        'chunked in HTTP/1.0 passes',
        "if (httpVersion === '1.0') throw malformed('transfer-encoding in HTTP/1.0')",
        '',
      ],
      [
        'any coding passes',
        "if (codings.some((coding) => coding !== 'chunked')) throw malformed('unknown coding', 501)",
        '',
      ],
      [
        'any coding before chunked passes',
        "codings.some((coding) => coding !== 'chunked')",
        "codings.at(-1) !== 'chunked'",
      ],
      ['chunked twice passes', "if (codings.length > 1) throw malformed('chunked twice')", ''],
      ['chunked must be in lower case', 'trimBlanks(coding).toLowerCase()', 'trimBlanks(coding)'],
      [
        'other upgrades must be handshakes',
        "if (trimBlanks(structure.upgrade ?? '').toLowerCase() !== 'websocket') return",
        '',
      ],
      [
        'WebSocket in capitals is no upgrade',
        "trimBlanks(structure.upgrade ?? '').toLowerCase()",
        "trimBlanks(structure.upgrade ?? '')",
      ],
      [
        'a handshake may have any method',
        "if (method !== 'GET') throw malformed('websocket handshake is not a GET')",
        '',
      ],
      [
        'a handshake may be HTTP/1.0',
        "if (httpVersion !== '1.1') throw malformed('websocket handshake is not HTTP/1.1')",
        '',
      ],
      [
        'a handshake may have a body',
        "if (structure.transferEncoding !== undefined || (structure.contentLength ?? '0') !== '0')\n    throw malformed('websocket handshake has a body')",
        '',
      ],
      ['a handshake may have a chunked body', 'structure.transferEncoding !== undefined || ', ''],
      [
        'a handshake may have a body with a length',
        " || (structure.contentLength ?? '0') !== '0'",
        '',
      ],
      ['a tunnel begins at any method', "    method === 'GET' &&\n", ''],
      ['a tunnel begins in HTTP/1.0', "    httpVersion === '1.1' &&\n", ''],
      ['a tunnel begins at any request', '    isWebSocketUpgrade(rawHeaders) &&\n', ''],
      ['a tunnel begins before a body', ' &&\n    !bodyFollows(rawHeaders)', ''],
    ],
  ),
]
