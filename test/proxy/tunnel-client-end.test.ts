// A client that has ended its side while its handshake was under way is not seen again: what waits for it, waits for ever.
import t, { type Test } from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, rawClient, statusOf } from '../helpers/raw-client.ts'
import { type RawUpstream, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** An upstream that tells which of its connections are open, and answers when it is told to. */
async function patientUpstream(t: Test) {
  let open = 0
  const answers: (() => void)[] = []
  const script: Script = (socket) => {
    open++
    socket.on('close', () => {
      open--
    })
    answers.push(() => socket.write(SWITCHING))
  }
  const upstream: RawUpstream = await rawUpstream(script)
  t.teardown(() => upstream.close())
  return { upstream, open: () => open, answer: () => answers.at(-1)?.() }
}

async function until(t: Test, what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
  t.ok(holds(), what)
}

for (const early of ['', 'early'])
  t.test(
    `a client that ends its side before the answer${early && ', behind early bytes'}`,
    async (t) => {
      const { upstream, open, answer } = await patientUpstream(t)
      const gate = await startClaimgate(t, upstream.port)
      const client = await rawClient(gate.port)
      client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
      await upstream.until('\r\n\r\n')
      if (early !== '') client.send(early)
      client.socket.end()
      await until(t, 'the upstream is let go', () => open() === 0)
      answer()
      t.equal(await client.untilClose(), '', 'no tunnel is opened to nobody')
      t.notMatch(upstream.received().join(''), 'early')
      await until(t, 'the exchange ends', () =>
        gate.logLines().some((line) => line['msg'] === 'request' && line['aborted'] === true),
      )
    },
  )

t.test('a client that has ended its side before the upstream was asked', async (t) => {
  const { upstream, open } = await patientUpstream(t)
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  client.socket.end()
  await client.untilClose()
  await until(t, 'the exchange ends', () =>
    gate.logLines().some((line) => line['msg'] === 'request' && line['aborted'] === true),
  )
  await until(t, 'the upstream is let go', () => open() === 0)
})

t.test(
  'bytes sent in many pieces before the answer arrive after it, whole and in order',
  async (t) => {
    const { upstream, answer } = await patientUpstream(t)
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
    await upstream.until('\r\n\r\n')
    const bytes = Array.from({ length: 40_000 }, (_, i) => `${i},`).join('')
    for (let at = 0; at < bytes.length; at += 7_001) client.send(bytes.slice(at, at + 7_001))
    t.equal(upstream.received()[0]?.split('\r\n\r\n')[1], '', 'nothing before the answer')
    answer()
    await client.until('\r\n\r\n')
    await upstream.until('39999,')
    t.equal(upstream.received()[0]?.split('\r\n\r\n')[1], bytes)
    client.socket.destroy()
  },
)

for (const ending of ['stays', 'ends its side'])
  t.test(
    `a client that runs far ahead of the answer and ${ending} is refused in time`,
    async (t) => {
      const { upstream, open, answer } = await patientUpstream(t)
      const settings = { upstreamResponseTimeout: undefined, bodyIdleTimeout: 100 }
      const gate = await startClaimgate(t, upstream.port, settings)
      const client = await rawClient(gate.port)
      client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
      await upstream.until('\r\n\r\n')
      client.send('early '.repeat(20_000))
      if (ending === 'ends its side') client.socket.end()
      const refusal = await client.until('ERR_REQUEST_MALFORMED')
      t.equal(statusOf(refusal), 400)
      t.equal(codeOf(refusal), 'ERR_REQUEST_MALFORMED')
      await until(t, 'the upstream is let go', () => open() === 0)
      answer()
      t.equal((await client.untilClose()).slice(refusal.length), '', 'no tunnel is opened')
      t.notMatch(upstream.received().join(''), 'early')
      await until(t, 'the exchange ends', () =>
        gate
          .logLines()
          .some(
            ({ msg, reason }) =>
              msg === 'request' && reason === 'data ahead of the answer to the handshake',
          ),
      )
    },
  )

t.test('a client that runs far ahead is served when the answer comes in time', async (t) => {
  const { upstream, answer } = await patientUpstream(t)
  const settings = { upstreamResponseTimeout: undefined, bodyIdleTimeout: 10_000 }
  const gate = await startClaimgate(t, upstream.port, settings)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  await upstream.until('\r\n\r\n')
  client.send(`${'early '.repeat(20_000)}last`)
  answer()
  t.equal(statusOf(await client.until('\r\n\r\n')), 101)
  await upstream.until('last')
  client.socket.destroy()
})
