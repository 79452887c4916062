// What an upstream may answer to a WebSocket handshake beside 101, and clients that do not wait for it.
import t, { type Test } from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]

async function stage(t: Test, answer: string, changes = {}) {
  let open = 0
  const upstream = await rawUpstream((socket) => {
    open += 1
    socket.on('close', () => {
      open -= 1
    })
    socket.once('data', () => socket.write(answer, 'latin1'))
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, changes)
  const client = await rawClient(gate.port)
  return { upstream, gate, client, open: () => open }
}

async function until(t: Test, what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
  t.ok(holds(), what)
}

const STREAM = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'

for (const how of ['end', 'destroy'] as const)
  t.test(`a client that leaves in the middle of an answer (${how}) takes it along`, async (t) => {
    const { gate, client, open } = await stage(t, STREAM)
    client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
    await client.until('hello')
    client.socket[how]()
    await until(t, 'the upstream is let go', () => open() === 0)
    await until(t, 'the exchange ends', () =>
      gate.logLines().some((line) => line['msg'] === 'request'),
    )
  })

for (const [what, answer] of [
  ['a 101 that names no protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  [
    'a coding that is not undone',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a status that is none', 'HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n'],
] as const)
  t.test(`${what} is answered with 502`, async (t) => {
    const { gate, client, open } = await stage(t, answer)
    client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
    const text = await client.untilClose()
    t.match(text, /^HTTP\/1\.1 502 /)
    t.match(text, '"code":"ERR_UPSTREAM_UNAVAILABLE"')
    await until(t, 'the upstream is let go', () => open() === 0)
  })

for (const status of ['204 No Content', '304 Not Modified'])
  t.test(`${status} is passed on without a frame and without a body`, async (t) => {
    const { gate, client } = await stage(t, `HTTP/1.1 ${status}\r\nX-A: b\r\n\r\n`)
    client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
    t.equal(await client.untilClose(), `HTTP/1.1 ${status}\r\nX-A: b\r\nConnection: close\r\n\r\n`)
  })

t.test('a 101 that nobody asked for is no interim answer', async (t) => {
  const answer =
    'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
  const { gate, client } = await stage(t, answer)
  client.send(requestBytes(gate.assertion()))
  t.match(await client.until('}\n'), /^HTTP\/1\.1 502 /)
})

t.test('interim answers do not wait in memory for a client that does not read', async (t) => {
  const hint = `HTTP/1.1 103 Early Hints\r\nX-A: ${'a'.repeat(8_000)}\r\n\r\n`
  let written = 0
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () => {
      const more = () => {
        for (; written < 60_000_000; written += hint.length) if (!socket.write(hint)) return
        socket.destroy()
      }
      socket.on('drain', more)
      more()
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.socket.pause()
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  const deadline = Date.now() + 20_000
  while (written < 60_000_000 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5))
  t.ok(written >= 60_000_000, 'the upstream could write all of them')
  client.socket.resume()
  const { length } = await client.untilClose()
  t.ok(length < 40_000_000, `${Math.round(length / 1e6)} MB had been kept`)
})

t.test("a handshake to the status path is claimgate's own to refuse", async (t) => {
  const { upstream, gate, client } = await stage(t, STREAM)
  const line = 'GET /.claimgate?x HTTP/1.1'
  client.send(requestBytes(gate.assertion(), { line, lines: HANDSHAKE }))
  t.match(await client.untilClose(), /^HTTP\/1\.1 400 /)
  t.equal(upstream.connections(), 0)
})
