import type { Random } from '../random.ts'

/** Texts on which readers of HTTP have differed. */
const WORDS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\r\n',
    '\n\r',
    '\0',
    ' ',
    '\t',
    '\v',
    '\f',
    ':',
    ';',
    ',',
    '\r\n ',
    '\r\n\t',
  ],
  ...[
    '\r\n\r\n',
    '\n\n',
    '\r\n0\r\n\r\n',
    '0\r\n\r\n',
    '\x7f',
    '\x85',
    '\xa0',
    '\xff',
    '#',
    '\\',
    '%0d%0a',
  ],
  ...[
    'GET ',
    ' HTTP/1.1',
    ' HTTP/1.0',
    ' HTTP/0.9',
    ' HTTP/2.0',
    ' HTTP/1.1 ',
    'GET /smuggled HTTP/1.1\r\n',
  ],
]

/** Whole field lines that change framing, routing, or what stands for whom. */
const LINES = [
  ...['Content-Length: 0', 'Content-Length: 4', 'Content-Length: +4', 'Content-Length: -1'],
  ...['Content-Length: 4, 4', 'Content-Length: 0x4', 'Content-Length: 4 ', 'Content-Length : 4'],
  ...[
    'Content-Length: 99999999999999999999',
    'Content-Length:',
    'content_length: 4',
    'Content-Length: 4\0',
  ],
  ...['Transfer-Encoding: chunked', 'Transfer-Encoding : chunked', 'Transfer-Encoding:\vchunked'],
  ...[
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity',
  ],
  ...[
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: CHUNKED',
    'Transfer-Encoding: \xa0chunked',
    'Transfer-Encoding: chunked\t',
  ],
  ...[
    'transfer_encoding: chunked',
    ' Transfer-Encoding: chunked',
    'Transfer-Encoding\r\n : chunked',
  ],
  ...['Transfer-Encoding:', 'Transfer-Encoding: chunked;q=1', 'X: y\nTransfer-Encoding: chunked'],
  ...[
    'Connection: close',
    'Connection: keep-alive',
    'Connection: Transfer-Encoding',
    'Connection: host',
  ],
  ...[
    'Host: evil.example.com',
    'Host:',
    'Host: a b',
    'host: app.example.com',
    'Expect: 100-continue',
  ],
  ...[
    'Expect: 200-ok',
    'Upgrade: websocket',
    'Upgrade: h2c',
    'HTTP2-Settings: AAA',
    'X-A',
    ': a',
    'X A: b',
  ],
  ...[
    'X-Pomerium-Claim-Sub: mallory',
    'X-Pomerium-Jwt-Assertion: a.b.c',
    'X_Pomerium_Jwt_Assertion: a.b.c',
  ],
]

/** One to four changes to the bytes of a connection; one in eight is left as it is, and may still be cut into pieces. */
export function mutateBytes(random: Random, text: string): string {
  if (random.chance(12)) return text
  let changed = text
  for (let edits = 1 + random.int(2) + random.int(3); edits > 0; edits--)
    changed = edit(random, changed)
  return changed
}

function edit(random: Random, text: string): string {
  const at = random.int(text.length + 1)
  const to = Math.min(text.length, at + 1 + random.int(12))
  const put = (from: number, until: number, middle: string) =>
    text.slice(0, from) + middle + text.slice(until)
  return random.weighted<() => string>([
    [12, () => put(at, at + 1, random.bytes(1).toString('latin1'))],
    [8, () => put(at, at, random.pick(WORDS))],
    [6, () => put(at, to, random.pick(WORDS))],
    [20, () => insertLine(random, text)],
    [10, () => editLineEnd(random, text)],
    [8, () => put(at, to, '')],
    [5, () => put(at, at, text.slice(at, to))],
    [8, () => moveLine(random, text)],
    [12, () => editNumber(random, text)],
    [4, () => text.slice(0, at)],
    [3, () => put(at, at, sliceOf(random, text))],
    [4, () => editCase(text, at, to)],
  ])()
}

function lineEnds(text: string): number[] {
  const ends: number[] = []
  for (let at = text.indexOf('\r\n'); at !== -1; at = text.indexOf('\r\n', at + 2)) ends.push(at)
  return ends
}

function insertLine(random: Random, text: string): string {
  const ends = lineEnds(text)
  const at = ends.length === 0 ? 0 : random.pick(ends)
  return `${text.slice(0, at)}\r\n${random.pick(LINES)}${text.slice(at)}`
}

function editLineEnd(random: Random, text: string): string {
  const ends = lineEnds(text)
  if (ends.length === 0) return text
  const at = random.pick(ends)
  const other = random.pick([
    '\n',
    '\r',
    '\r\r\n',
    '\n\r',
    '\r\n ',
    ' \r\n',
    '\t\r\n',
    '\0\r\n',
    '',
    '\r\n\r\n',
  ])
  return text.slice(0, at) + other + text.slice(at + 2)
}

/** Takes a line away and puts it somewhere else, or repeats it there. */
function moveLine(random: Random, text: string): string {
  const lines = text.split('\r\n')
  const from = random.int(lines.length)
  const line = lines[from] ?? ''
  const rest = random.chance(50) ? lines : lines.toSpliced(from, 1)
  return rest.toSpliced(random.int(rest.length + 1), 0, line).join('\r\n')
}

/** Lengths and sizes a little or far beside the truth, and in other spellings. */
function editNumber(random: Random, text: string): string {
  const numbers = [...text.matchAll(/(?<=Length: )\d+|(?<=\r\n)[0-9a-f]{1,2}(?=[\r;])/g)]
  if (numbers.length === 0) return text
  const found = random.pick(numbers)
  const radix = text.slice(0, found.index).endsWith('Length: ') ? 10 : 16
  const value = Number.parseInt(found[0], radix)
  const others = [value + 1, Math.max(0, value - 1), value + 2, value * 2, 0, 1, 9_999]
  const other = random.pick([
    ...others.map((number) => number.toString(radix)),
    ...[
      `0${value}`,
      `0x${value}`,
      `+${value}`,
      `-${value}`,
      `${value} `,
      ` ${value}`,
      `${value}.0`,
    ],
    ...['', 'f'.repeat(16), '1'.repeat(20), `${value}_0`, `${value};`, `${value},${value}`],
  ])
  return text.slice(0, found.index) + other + text.slice(found.index + found[0].length)
}

function sliceOf(random: Random, text: string): string {
  const from = random.int(text.length)
  return text.slice(from, from + random.int(400))
}

function editCase(text: string, at: number, to: number): string {
  const run = text.slice(at, to)
  const other = run.toUpperCase() === run ? run.toLowerCase() : run.toUpperCase()
  // Latin-1 alone: ß would become two letters, ÿ and µ leave the range.
  const isOneByteEach = other.length === run.length && !/[^\0-\xff]/.test(other)
  return isOneByteEach ? text.slice(0, at) + other + text.slice(to) : text
}
