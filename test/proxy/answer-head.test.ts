import { once } from 'node:events'
import t from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient } from '../helpers/raw-client.ts'
import { answering, OK, rawUpstream } from '../helpers/raw-upstream.ts'

for (const [sent, passedOn] of [
  ['200 caf\xc3\xa9', '200 caf\xc3\xa9'],
  ['200 caf\xe9', '200 caf\xe9'],
  ['200 a\x01b', '200 '],
  ['200', '200 '],
  ['999 Odd', '999 Odd'],
] as const)
  t.test(`the status line ${JSON.stringify(sent)} reaches the client`, async (t) => {
    const upstream = await rawUpstream(
      answering(`HTTP/1.1 ${sent}\r\nDate: x\r\nContent-Length: 2\r\n\r\nok`),
    )
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const request = requestBytes(gate.assertion(), { lines: ['Connection: close'] })
    t.equal(
      await exchangeBytes(gate.port, request),
      `HTTP/1.1 ${passedOn}\r\nDate: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
    )
  })

for (const status of ['000', '099', '1000'])
  t.test(`the status ${status} of an upstream is none: 502`, async (t) => {
    const upstream = await rawUpstream(
      answering(`HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`),
    )
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const request = requestBytes(gate.assertion(), { lines: ['Connection: close'] })
    const answer = await exchangeBytes(gate.port, request)
    t.match(answer, /^HTTP\/1\.1 502 Bad Gateway\r\n/)
    t.equal(codeOf(answer), 'ERR_UPSTREAM_UNAVAILABLE')
  })

t.test('an answer that cannot have a body has no length', async (t) => {
  const upstream = await rawUpstream(
    answering(
      'HTTP/1.1 103 Early Hints\r\ncontent-length: 5\r\nX: y\r\n\r\n' +
        'HTTP/1.1 204 No Content\r\nDate: x\r\nContent-Length: 2\r\n\r\nok',
    ),
  )
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const request = requestBytes(gate.assertion(), { lines: ['Connection: close'] })
  t.equal(
    await exchangeBytes(gate.port, request),
    'HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n' +
      'HTTP/1.1 204 No Content\r\nDate: x\r\nConnection: close\r\n\r\n',
  )
})

t.test(
  'the answer to each of two pipelined requests comes behind its own interim one',
  async (t) => {
    const upstream = await rawUpstream(answering(`HTTP/1.1 103 Hint\r\n\r\n${OK}`))
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const request = requestBytes(gate.assertion())
    const last = requestBytes(gate.assertion(), { lines: ['Connection: close'] })
    const answer = await exchangeBytes(gate.port, request + last)
    t.same(
      answer.match(/HTTP\/1\.1 \d+/g),
      [103, 200, 103, 200].map((code) => `HTTP/1.1 ${code}`),
    )
  },
)

t.test('a client of HTTP/1.0 gets no interim answer', async (t) => {
  const upstream = await rawUpstream(answering(`HTTP/1.1 103 Hint\r\n\r\n${OK}`))
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { line: 'GET /t HTTP/1.0' }),
  )
  t.same(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200'])
})

t.test('interim answers that a client does not read fill no memory', async (t) => {
  const hint = `HTTP/1.1 103 Hint\r\nX: ${'x'.repeat(16_000)}\r\n\r\n`
  const total = 30_000
  let isDone = false
  const upstream = await rawUpstream((socket) => {
    socket.once('data', async () => {
      for (let i = 0; i < total; i++) if (!socket.write(hint)) await once(socket, 'drain')
      isDone = true
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.socket.pause()
  const before = process.memoryUsage().rss
  client.send(requestBytes(gate.assertion()))
  let peak = before
  while (!isDone) {
    peak = Math.max(peak, process.memoryUsage().rss)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const grown = Math.round((peak - before) / 1024 / 1024)
  t.comment(`rss grew by ${grown} MiB while 460 MiB came`)
  t.ok(grown < 200, `${grown} MiB`)
  client.socket.destroy()
})
