import t, { type Test } from 'tap'
import { AnswerReader } from '../../src/proxy/answer-reader.ts'
import { UpstreamFault } from '../../src/proxy/upstream-fault.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { exchangeBytes } from '../helpers/raw-client.ts'
import { OK, rawUpstream } from '../helpers/raw-upstream.ts'

const CONTINUE = 'HTTP/1.1 100 Continue\r\nX: y\r\n\r\n'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const TO_CLOSE = 'HTTP/1.1 200 OK\r\n\r\n'

interface Options {
  readonly method?: string
  readonly maxHeaderSize?: number
  /** Whether the connection ends behind the bytes. */
  readonly ends?: boolean
}

/** What a receiver is told when the bytes come in these pieces, with the body put together. */
function told(pieces: readonly string[], { method = 'GET', maxHeaderSize = 1_000, ends }: Options) {
  const events: string[] = []
  let body = ''
  const reader = new AnswerReader(maxHeaderSize, {
    onHead: ({ status, reason, lines }) => events.push([status, reason, ...lines].join('|')),
    onData: (data) => {
      body += data.toString('latin1')
    },
    onEnd: (last) => events.push(`body ${body}${last.toString('latin1')}`),
  })
  reader.expect(method)
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1')
      reader.read(bytes)
      // What is read next takes its place.
      bytes.fill('!')
    }
    if (ends) reader.end()
    events.push(`idle ${reader.idleLimit()}`)
  } catch (error) {
    events.push(error instanceof UpstreamFault ? error.code : String(error))
  }
  return events
}

/** The same, whole, parted everywhere, and byte by byte, which must not differ. */
function read(t: Test, bytes: string, options: Options = {}): readonly string[] {
  const whole = told([bytes], options)
  for (let cut = 1; cut < bytes.length; cut++)
    t.same(told([bytes.slice(0, cut), bytes.slice(cut)], options), whole, `parted at ${cut}`)
  t.same(told([...bytes], options), whole, 'byte by byte')
  return whole
}

const ANSWERS: readonly [string, string, readonly string[], Options?][] = [
  ['a length', OK, ['200|OK|Content-Type|text/plain|Content-Length|2', 'body ok', 'idle 4000']],
  [
    'a length of 0',
    'HTTP/1.1 200 \r\ncontent-LENGTH:0\r\n\r\n',
    ['200||content-LENGTH|0', 'body ', 'idle 4000'],
  ],
  [
    'chunks',
    `${CHUNKED}2\r\nok\r\nA;x=y\r\n0123456789\r\n0\r\nT: 1\r\nU:\r\n\r\n`,
    ['200|OK|Transfer-Encoding|chunked', 'body ok0123456789', 'idle 4000'],
  ],
  [
    'chunks, whatever the case of that word',
    'HTTP/1.1 200 OK\r\ntransfer-ENCODING: \tChunked \r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ['200|OK|transfer-ENCODING|Chunked', 'body ok', 'idle 4000'],
  ],
  ['no chunk', `${CHUNKED}0\r\n\r\n`, ['200|OK|Transfer-Encoding|chunked', 'body ', 'idle 4000']],
  ['the end of the connection', `${TO_CLOSE}abc`, ['200|OK', 'body abc', 'idle 0'], { ends: true }],
  ['nothing behind a 304', 'HTTP/1.1 304\r\n\r\n', ['304|', 'body ', 'idle 4000']],
  [
    'nothing behind a 204',
    'HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n',
    ['204|No|Content-Length|7', 'body ', 'idle 4000'],
  ],
  [
    'nothing in answer to HEAD',
    'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
    ['200|OK|Content-Length|7', 'body ', 'idle 4000'],
    { method: 'HEAD' },
  ],
  [
    '100s that nobody asked for',
    `${CONTINUE}HTTP/1.1 100\r\n\r\n${OK}`,
    ['200|OK|Content-Type|text/plain|Content-Length|2', 'body ok', 'idle 4000'],
  ],
  [
    'an interim answer',
    `HTTP/1.1 103 Early\r\nLink: a\r\n\r\n${OK}`,
    ['103|Early|Link|a', '200|OK|Content-Type|text/plain|Content-Length|2', 'body ok', 'idle 4000'],
  ],
  [
    'bytes of values as they came, without the blanks around them',
    'HTTP/1.1 200 caf\xe9\r\nA:\t \xff \xa0\t\r\nA: \r\nContent-Length: 0\r\n\r\n',
    ['200|caf\xe9|A|\xff \xa0|A||Content-Length|0', 'body ', 'idle 4000'],
  ],
  [
    'a phrase that may not be one',
    'HTTP/1.1 200 a\x01b\r\nContent-Length: 0\r\n\r\n',
    ['200||Content-Length|0', 'body ', 'idle 4000'],
  ],
  [
    'a 100 inside a body',
    `HTTP/1.1 200 OK\r\nContent-Length: ${CONTINUE.length}\r\n\r\n${CONTINUE}`,
    [`200|OK|Content-Length|${CONTINUE.length}`, `body ${CONTINUE}`, 'idle 4000'],
  ],
]
for (const [name, bytes, expected, options] of ANSWERS)
  t.test(`an answer with ${name} is read however its bytes are parted`, async (t) => {
    t.same(read(t, bytes, options), expected)
  })

const IDLE: readonly [string, number][] = [
  ['Connection: keep-alive', 4_000],
  ['Connection: close', 0],
  ['Connection: x, CLOSE', 0],
  ['Connection: x\r\nConnection: close', 0],
  ['Connection: close\r\nConnection: x', 0],
  ['connection: close', 0],
  ['Connection: closed', 4_000],
  ['Connection: x-close', 4_000],
  ['KEEP-alive: timeout=3', 2_000],
  ['Keep-Alive: timeout=60', 4_000],
  ['Keep-Alive: timeout=5, max=100', 4_000],
  ['Keep-Alive: max=100, timeout=3', 2_000],
  ['Keep-Alive: timeout=1', 0],
  ['Keep-Alive: timeout=0', 0],
  ['Keep-Alive: x', 4_000],
]
t.test('the upstream says for how long its connection may be used', async (t) => {
  for (const [lines, limit] of IDLE) {
    const bytes = `HTTP/1.1 200 OK\r\n${lines}\r\nContent-Length: 0\r\n\r\n`
    t.equal(told([bytes], {}).at(-1), `idle ${limit}`, lines)
  }
  const old = 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n'
  t.equal(told([old], {}).at(-1), 'idle 0', 'HTTP/1.0')
})

t.test('a connection with bytes behind its answer is used no more', async (t) => {
  for (const [bytes, options] of [
    [`${OK}H`, {}],
    [`${OK}\r\n`, {}],
    [`${CHUNKED}0\r\n\r\nH`, {}],
    ['HTTP/1.1 204 No\r\n\r\nok', {}],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', { method: 'HEAD' }],
  ] as const) {
    t.match(told([bytes], options).slice(-2), [/^body /, 'idle 0'], bytes)
    const whole = told([bytes.slice(0, -1), bytes.slice(-1)], options)
    t.match(whole.at(-1), /^(idle 0|ANSWER_MALFORMED)$/, `${bytes}, the last byte later`)
  }
})

t.test('bytes that nobody asked for are none', async (t) => {
  const reader = new AnswerReader(1_000, {
    onHead: () => t.fail('a head'),
    onData: () => t.fail('data'),
    onEnd: () => t.fail('an end'),
  })
  t.throws(() => reader.read(Buffer.from(OK)), { code: 'ANSWER_MALFORMED' })
})

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`

const MALFORMED: readonly [string, string][] = [
  ['text', 'hello\r\n\r\n'],
  ['another protocol', 'RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['another minor version', 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/0.9', 'HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a version without a dot', 'HTTP/1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['another case', 'http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a blank before it', ' HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['two blanks', 'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 OK\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n'],
  ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
  ['a bare line feed behind a field', head('A: b\nContent-Length: 0')],
  ['a bare carriage return', head('A: b\rc', 'Content-Length: 0')],
  ['a control character', head('A: b\x01', 'Content-Length: 0')],
  ['a NUL', head('A: \0', 'Content-Length: 0')],
  ['a DEL', head('A: \x7f', 'Content-Length: 0')],
  ['a folded line', head('A: b', ' c', 'Content-Length: 0')],
  ['a blank before a colon', head('Content-Length : 0')],
  ['no colon', head('A', 'Content-Length: 0')],
  ['no name', head(': a', 'Content-Length: 0')],
  ['a name that is no token', head('A(: a', 'Content-Length: 0')],
  ['a name in Latin-1', head('\xe9: a', 'Content-Length: 0')],
  ['two lengths', head('Content-Length: 2', 'content-length: 2')],
  ['a list of lengths', head('Content-Length: 2, 2')],
  ['a negative length', head('Content-Length: -1')],
  ['a length with a sign', head('Content-Length: +1')],
  ['a length in hexadecimal', head('Content-Length: 0x1')],
  ['no digits', head('Content-Length: ')],
  ['a length that no number holds', head('Content-Length: 9007199254740993')],
  ['a length and chunks', head('Content-Length: 2', 'Transfer-Encoding: chunked')],
  ['another coding', head('Transfer-Encoding: gzip')],
  ['two codings', head('Transfer-Encoding: gzip, chunked')],
  ['chunks twice', head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
  ['a coding that only looks like chunked', head('Transfer-Encoding: chunked\xa0')],
  ['an empty coding', head('Transfer-Encoding:')],
  ...[
    ['a size that is none', 'x\r\n'],
    ['an empty size', '\r\nok'],
    ['a sign', '+2\r\nok\r\n'],
    ['a prefix', '0x2\r\nok\r\n'],
    ['a blank before it', ' 2\r\nok\r\n'],
    ['a blank behind it', '2 \r\nok\r\n'],
    ['a size that no number holds', 'fffffffffffffff\r\n'],
    ['a size of 17 digits', `${'0'.repeat(16)}2\r\nok\r\n`],
    ['a bare line feed', '2\nok\r\n'],
    ['a control character in an extension', '2;\x01\r\nok\r\n'],
    ['a bare line feed behind the data', '2\r\nok\n'],
    ['more data than said', '2\r\nokay\r\n'],
    ['a trailer that is none', '0\r\na b: c\r\n\r\n'],
    ['a bare line feed behind a trailer', '0\r\nA: b\n\r\n'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['a bare line feed at the end', '0\r\n\n'],
  ].map(([name, body]): [string, string] => [`chunks with ${name}`, `${CHUNKED}${body}`]),
]
for (const [name, bytes] of MALFORMED)
  t.test(`an answer with ${name} is none`, async (t) => {
    t.equal(read(t, bytes).at(-1), 'ANSWER_MALFORMED')
  })

t.test('what is larger than allowed is none', async (t) => {
  const padded = (size: number) => `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(size)}\r\n\r\n`
  const fixed = padded(0).length - '\r\n\r\n'.length
  t.not(told([padded(1_000 - fixed)], {}).at(-1), 'ANSWER_HEAD_TOO_LARGE')
  t.equal(told([padded(1_001 - fixed)], {}).at(-1), 'ANSWER_HEAD_TOO_LARGE')
  t.equal(told(['HTTP/1.1 200 OK\r\nA: ', 'x'.repeat(1_000)], {}).at(-1), 'ANSWER_HEAD_TOO_LARGE')
  const body = 'x'.repeat(2_000)
  const withBody = `HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${body}`
  t.same(told([withBody], {}).slice(1), [`body ${body}`, 'idle 4000'], 'the head alone counts')
  const trailers = `A: ${'x'.repeat(400)}\r\n`.repeat(3)
  t.equal(told([`${CHUNKED}0\r\n${trailers}\r\n`], {}).at(-1), 'ANSWER_MALFORMED')
  t.equal(told([`${CHUNKED}2;${'x'.repeat(5_000)}`], {}).at(-1), 'ANSWER_MALFORMED')
  t.equal(told([`${CHUNKED}2;${'x'.repeat(5_000)}\r\nok\r\n`], {}).at(-1), 'ANSWER_MALFORMED')
})

t.test('an answer that breaks off is not whole', async (t) => {
  for (const bytes of [
    'HTTP/1.1 200 OK\r\nContent-Le',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok',
    `${CHUNKED}2\r\nok\r\n`,
    `${CHUNKED}2\r\nok\r\n0\r\n`,
    'HTTP/1.1 103 Early\r\n\r\n',
  ])
    t.equal(told([bytes], { ends: true }).at(-1), 'UPSTREAM_CLOSED', bytes)
})

t.test('one answer after the other is read, each by its own framing', async (t) => {
  let body = ''
  const events: string[] = []
  const reader = new AnswerReader(1_000, {
    onHead: ({ status }) => events.push(String(status)),
    onData: (data) => {
      body += data
    },
    onEnd(last) {
      events.push(`${body}${last}`)
      body = ''
    },
  })
  const chunked = `${CHUNKED}2\r\nok\r\n0\r\n${'A: b\r\n'.repeat(100)}\r\n`
  for (const bytes of [chunked, OK, chunked, 'HTTP/1.1 204 No\r\n\r\n', OK]) {
    reader.expect('GET')
    for (const byte of bytes) reader.read(Buffer.from(byte))
  }
  t.same(events, ['200', 'ok', '200', 'ok', '200', 'ok', '204', '', '200', 'ok'])
})

t.test('anything that was read counts as heard, until the next request', async (t) => {
  const reader = new AnswerReader(1_000, {
    onHead: () => undefined,
    onData: () => undefined,
    onEnd: () => undefined,
  })
  reader.expect('GET')
  t.equal(reader.hasHeard(), false)
  reader.read(Buffer.from('H'))
  t.equal(reader.hasHeard(), true)
  reader.expect('GET')
  t.equal(reader.hasHeard(), false)
})

t.test('a 100 that nobody asked for does not hide the answer, on any connection', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.on('data', () => socket.write(CONTINUE + OK))
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  for (let round = 0; round < 3; round++) {
    const answer = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
    )
    t.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/)
  }
  t.equal(upstream.connections(), 1)
})
