// One packet without an assertion ended the process of proxies built on the same packages: an upgrade whose client is gone
// during the decision, an upgrade behind a plain request, an upgrade with a fragment, a long error text as close reason.
// Here an uncaught fault of any of them ends this test file.
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { type RunningClaimgate, requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { open } from '../helpers/transport.ts'

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]

async function stillServes(t: Test, gate: RunningClaimgate) {
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
  )
  t.equal(statusOf(answer), 200, 'a fresh good request is answered')
}

t.test('a client that resets its upgrade at any moment of the decision harms nobody', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const moments = [0, 1, 2, 3, 5, 8]
  for (let round = 0; round < 60; round++) {
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
    for (let turn = moments[round % moments.length] ?? 0; turn > 0; turn--)
      await new Promise((resolve) => setImmediate(resolve))
    client.socket.resetAndDestroy()
  }
  await stillServes(t, gate)
})

t.test('an upgrade pipelined behind a plain request is answered in turn', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(undefined, { line: 'GET /x HTTP/1.1' }) +
      requestBytes(undefined, { lines: HANDSHAKE }),
  )
  t.same(answer.match(/HTTP\/1\.1 (\d+)/g), ['HTTP/1.1 401', 'HTTP/1.1 401'])
  await stillServes(t, gate)
})

t.test(
  'an upgrade with a fragment is refused, and the unmasked frame behind it goes nowhere',
  async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion(), { line: 'GET /ws#x HTTP/1.1', lines: HANDSHAKE }))
    client.send(Buffer.from([0x81, 0x01, 0x41]))
    t.equal(codeOf(await client.untilClose()), 'ERR_REQUEST_MALFORMED')
    t.equal(upstream.connections(), 0)
    await stillServes(t, gate)
  },
)

t.test(
  'a handshake to an upstream whose name does not resolve gives 502, however long the name',
  async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.invalid`
    const gate = await startClaimgate(t, upstream.port, {
      upstream: { protocol: 'http:', hostname: name, port: 80 },
    })
    const answer = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), { lines: HANDSHAKE }),
    )
    t.equal(statusOf(answer), 502)
    t.notMatch(answer, /aaaa|ENOTFOUND|EAI_AGAIN/)
  },
)

t.test('resets at every moment of a plain exchange harm nobody', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const bytes = requestBytes(gate.assertion(), {
    line: 'POST /t HTTP/1.1',
    lines: ['Content-Length: 10', 'Expect: 100-continue'],
    body: '0123456789',
  })
  for (let cut = 1; cut < bytes.length; cut += 23) {
    const client = await rawClient(gate.port)
    client.send(bytes.slice(0, cut))
    await new Promise((resolve) => setImmediate(resolve))
    client.socket.resetAndDestroy()
  }
  await stillServes(t, gate)
})

t.test(
  'one client that pipelines thousands of requests gets all answers and costs bounded memory',
  async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port, { logLevel: 'silent' })
    const { socket } = open(gate.port)
    const total = 15_000
    let answers = 0
    let tail = ''
    let peak = 0
    const before = process.memoryUsage().rss
    socket.on('data', (chunk) => {
      const text = tail + chunk.toString('latin1')
      // 503 where the machine is so busy that the event loop is late.
      answers += text.match(/HTTP\/1\.1 (?:401|503) /g)?.length ?? 0
      tail = text.slice(-'HTTP/1.1 401'.length)
      peak = Math.max(peak, process.memoryUsage().rss)
      if (answers >= total) socket.destroy()
    })
    socket.write(requestBytes(undefined).repeat(total))
    await once(socket, 'close')
    t.equal(answers, total)
    const grown = Math.round((peak - before) / 1024 / 1024)
    t.comment(`rss grew by ${grown} MiB`)
    t.ok(grown < 150, `${grown} MiB`)
    await stillServes(t, gate)
  },
)
