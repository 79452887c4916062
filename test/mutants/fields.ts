import { type Mutant, mutantsOf } from './mutant.ts'

/** Which fields go on, in both directions. */
export const FIELDS: readonly Mutant[] = [
  ...mutantsOf(
    'blanks.ts',
    ['blanks'],
    [
      ['a tab is no blank', 'unit === 0x20 || unit === 0x09', 'unit === 0x20'],
      [
        'a byte that Unicode calls blank is one',
        'unit === 0x20 || unit === 0x09',
        'unit === 0x20 || unit === 0x09 || unit === 0xa0',
      ],
      [
        'blanks in front are left on',
        '  while (start < end && isBlank(text.charCodeAt(start))) start += 1\n',
        '',
      ],
      [
        'blanks behind are left on',
        '  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1\n',
        '',
      ],
    ],
  ),
  ...mutantsOf(
    'proxy/headers.ts',
    ['proxy/headers'],
    [
      ...[
        'connection',
        'expect',
        'keep-alive',
        'proxy-authenticate',
        'proxy-authorization',
        'proxy-connection',
        'te',
        'trailer',
      ].map((name) => [`${name} reaches the other side`, `  '${name}',\n`, ''] as const),
      ['upgrade reaches the other side', "  'upgrade',\n", ''],
      [
        'fields of the connection reach the upstream',
        'if (isAboutConnection(name, nominated)) continue\n    if (!rules',
        'if (!rules',
      ],
      [
        'fields of the connection reach the client',
        'if (isAboutConnection(name, nominated)) continue\n    lines.push',
        'lines.push',
      ],
      [
        "the upstream's framing reaches the client",
        'name.toLowerCase() === ANSWER_FRAMING',
        'false',
      ],
      [
        'any answer field as long as the framing is one',
        ' && name.toLowerCase() === ANSWER_FRAMING',
        '',
      ],
      ...['host', 'content-length', 'transfer-encoding'].map(
        (name) =>
          [
            `Connection may name ${name}`,
            'HOP_BY_HOP.has(option) || NOT_NOMINATED.has(option)',
            `HOP_BY_HOP.has(option) || (option !== '${name}' && NOT_NOMINATED.has(option))`,
          ] as const,
      ),
      ['what Connection names reaches the upstream', 'nominated?.has(name.toLowerCase())', 'false'],
      [
        'Connection removes identity headers',
        'for (const part of added) lines.push(part)',
        "for (let i = 0; i < added.length; i += 2)\n    if (nominated?.has(added[i]?.toLowerCase() ?? '') !== true)\n      lines.push(added[i] ?? '', added[i + 1] ?? '')",
      ],
      ['identity headers are not sent', '  for (const part of added) lines.push(part)\n', ''],
      [
        'identity headers are sent first',
        'for (const part of added) lines.push(part)',
        'lines.unshift(...added)',
      ],
      [
        'reserved fields reach the upstream',
        'if (!rules.isReserved(name, value)) lines',
        'if (rules) lines',
      ],
      [
        'the value of a field does not count for stripping',
        'rules.isReserved(name, value)',
        "rules.isReserved(name, '')",
      ],
      ['stripped fields are not counted', 'stripped++', 'stripped'],
      [
        'the assertion counts as stripped',
        'else if (name.toLowerCase() !== rules.assertionHeader) stripped++',
        'else stripped++',
      ],
      [
        'only the first Connection counts',
        "for (const option of listItems(rawHeaders[i + 1] ?? '')) {",
        "if (names !== undefined) break\n    for (const option of listItems(rawHeaders[i + 1] ?? '')) {",
      ],
      [
        'Connection is compared with its case',
        "name.length !== 10 || name.toLowerCase() !== 'connection'",
        "name !== 'Connection'",
      ],
      [
        'any name as long as Connection is one',
        " || name.toLowerCase() !== 'connection') continue",
        ') continue',
      ],
      ['Connection names with their case', 'trimBlanks(item).toLowerCase()', 'trimBlanks(item)'],
      ['the Host is never replaced', '? host : value', '? value : value'],
      [
        'every field becomes the Host',
        "host !== undefined && name.toLowerCase() === 'host' ? host : value",
        'host ?? value',
      ],
      [
        'any field as long is the one looked for',
        'candidate?.length === name.length && candidate.toLowerCase() === name',
        'candidate?.length === name.length',
      ],
      [
        'a field is looked for with its case',
        'candidate.toLowerCase() === name',
        'candidate === name',
      ],
      [
        'any upgrade is one to websocket',
        "if (trimBlanks(upgrade).toLowerCase() !== 'websocket') return false",
        '',
      ],
      [
        'an Upgrade needs no Connection',
        "if (listItems(rawHeaders[i + 1] ?? '').includes('upgrade')) return true",
        'return true',
      ],
      [
        'a chunked body is none',
        "if (headerValue(rawHeaders, 'transfer-encoding') !== undefined) return true",
        '',
      ],
      [
        'a body with a length is none',
        "Number(headerValue(rawHeaders, 'content-length') ?? 0) > 0",
        'false',
      ],
      [
        'a length of 0 is a body',
        "Number(headerValue(rawHeaders, 'content-length') ?? 0) > 0",
        "headerValue(rawHeaders, 'content-length') !== undefined",
      ],
      ['an IPv6 upstream has no brackets', "upstream.hostname.includes(':') ?", 'false ?'],
      [
        'the default port is in the Host',
        'return isDefault ? hostname :',
        'return false ? hostname :',
      ],
    ],
  ),
]
