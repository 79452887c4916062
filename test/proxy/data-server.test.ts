import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { createDataServer, type DataServerHandlers } from '../../src/proxy/data-server.ts'
import { requestBytes, startClaimgate, testConfig } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const CLOSE = ['Connection: close']
const HANDSHAKE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']

async function setUp(t: Test, changes: Partial<Config> = {}, upstream = rawUpstream()) {
  const app = await upstream
  t.teardown(() => app.close())
  return { app, gate: await startClaimgate(t, app.port, changes) }
}

/** An upstream that answers its first request when it is told to. */
function patient() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const upstream = rawUpstream((socket) => {
    socket.once('data', async () => {
      await promise
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  return { upstream, answer: resolve }
}

t.test('no field of a client reaches the router', async (t) => {
  const { app, gate } = await setUp(t)
  // Each of them makes Fastify do something of its own.
  const lines = [
    ...CLOSE,
    'Content-Type: application/json',
    'Content-Length: 1',
    'Accept-Version: 1.x',
  ]
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { line: 'POST /t HTTP/1.1', lines, body: '{' }),
  )
  t.equal(statusOf(answer), 200)
  t.match(app.received()[0], /\r\nAccept-Version: 1\.x\r\n[\s\S]*\r\n\r\n{$/)
})

t.test('what only a lenient parser takes is refused', async (t) => {
  const { app, gate } = await setUp(t)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: ['X: a\x01b', ...CLOSE] }),
  )
  t.equal(statusOf(answer), 400)
  t.equal(codeOf(answer), 'ERR_REQUEST_MALFORMED')
  t.equal(app.connections(), 0)
})

t.test('a request without Host is refused in our form', async (t) => {
  const { gate } = await setUp(t)
  const answer = await exchangeBytes(gate.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')
  t.equal(statusOf(answer), 400)
  t.equal(codeOf(answer), 'ERR_REQUEST_MALFORMED')
})

t.test('a connection that has ended makes room for another', async (t) => {
  const { gate } = await setUp(t, { maxConnections: 1 })
  for (let round = 0; round < 3; round++) {
    const request = requestBytes(gate.assertion(), { lines: CLOSE })
    t.equal(statusOf(await exchangeBytes(gate.port, request)), 200)
  }
})

/** What a client gets that never ends its own side; such connections are refused one by one, but stay open for a second. */
async function refusalOf(t: Test, port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  await Promise.race([once(socket, 'end'), once(socket, 'close')])
  return text
}

t.test(
  '100 connections over the limit are answered, and more are closed without a word',
  async (t) => {
    const { gate } = await setUp(t, { maxConnections: 1 })
    const first = await rawClient(gate.port)
    const refusals = await Promise.all(Array.from({ length: 120 }, () => refusalOf(t, gate.port)))
    t.equal(refusals.filter((text) => text === '').length, 20)
    t.equal(refusals.filter((text) => codeOf(text) === 'ERR_OVERLOADED').length, 100)
    first.socket.destroy()
  },
)

t.test('a handshake behind a request that waits for its answer opens no tunnel', async (t) => {
  const { upstream, answer } = patient()
  const { app, gate } = await setUp(t, {}, upstream)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  await app.until('\r\n\r\n')
  client.send(requestBytes(gate.assertion(), { line: 'GET /ws HTTP/1.1', lines: HANDSHAKE }))
  answer()
  const answers = await client.untilClose()
  t.same(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400'])
  t.notMatch(app.received().join(''), '/ws')
  await gate.gate.drain()
  t.match(
    gate.logLines().filter(({ msg }) => msg === 'request'),
    [
      { status: 200, decision: 'forward' },
      { status: 400, decision: 'reject', reason: 'handshake behind a request' },
    ],
  )
})

for (const [name, bytes, status] of [
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 405],
  ['what is not HTTP', 'BAD\r\n\r\n', 400],
] as const)
  t.test(`${name} is answered after what came before it`, async (t) => {
    const { upstream, answer } = patient()
    const { app, gate } = await setUp(t, {}, upstream)
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion()) + bytes)
    await app.until('\r\n\r\n')
    answer()
    t.same((await client.untilClose()).match(/HTTP\/1\.1 \d+/g), [
      'HTTP/1.1 200',
      `HTTP/1.1 ${status}`,
    ])
  })

t.test('what is not HTTP inside a body ends the connection, and the body looks cut', async (t) => {
  const { app, gate } = await setUp(
    t,
    {},
    rawUpstream(() => undefined),
  )
  const client = await rawClient(gate.port)
  client.send(
    requestBytes(gate.assertion(), {
      line: 'POST /t HTTP/1.1',
      lines: ['Transfer-Encoding: chunked'],
      body: '3\r\nabc\r\n',
    }),
  )
  await app.until('abc')
  client.send('not a chunk\r\n')
  t.equal(await client.untilClose(), '')
  t.notMatch(app.received()[0], /0\r\n\r\n$/)
})

/** What a client gets from a listener with these steps behind it. */
async function answerOf(t: Test, steps: Partial<DataServerHandlers>): Promise<string> {
  const none = () => undefined
  const { app } = await createDataServer(
    testConfig(1, ''),
    {
      begin: none,
      decide: async () => undefined,
      forward: none,
      showStatus: none,
      refuse: none,
      end: none,
      breakOff: () => false,
      upgrade: none,
      parserError: none,
      overloaded: none,
      connectMethod: none,
      ...steps,
    },
    { tls: undefined, onHandshakeFailed: none },
  )
  t.teardown(() => {
    app.server.close()
    return app.close()
  })
  app.server.listen(0, '127.0.0.1')
  await once(app.server, 'listening')
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('error', none).on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'close', { signal: AbortSignal.timeout(5_000) })
  return text
}

const failing = () => {
  throw new Error('a fault of ours')
}

t.test('where even the refusal fails, the connection ends without an answer', async (t) => {
  const reached: string[] = []
  const text = await answerOf(t, {
    decide: async () => failing(),
    refuse: failing,
    forward: () => reached.push('forward'),
  })
  t.equal(text, '')
  t.same(reached, [])
})

t.test('a request that cannot be forwarded for a fault of ours is refused', async (t) => {
  const faults: unknown[] = []
  await answerOf(t, {
    forward: failing,
    refuse(request, error) {
      faults.push(error)
      request.socket.destroy()
    },
  })
  t.match(faults, [{ message: 'a fault of ours' }])
})
