import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Config } from '../src/config/config.ts'
import { untilEnded } from '../src/drain.ts'
import { requestBytes, startClaimgate } from './helpers/claimgate.ts'
import { codeOf, rawClient, statusOf } from './helpers/raw-client.ts'
import { answering, OK, rawUpstream } from './helpers/raw-upstream.ts'
import { open } from './helpers/transport.ts'

async function setUp(t: Test, changes: Partial<Config> = {}, upstream = rawUpstream()) {
  const app = await upstream
  t.teardown(() => app.close())
  return { app, gate: await startClaimgate(t, app.port, changes) }
}

/** Resolves when no more connections are accepted. */
async function untilRefused(port: number): Promise<void> {
  const deadline = Date.now() + 5_000
  while (Date.now() < deadline) {
    const client = await rawClient(port).catch(() => undefined)
    if (client === undefined) return
    client.socket.destroy()
    await wait(10)
  }
  throw new Error('connections are still accepted')
}

const CLOSE = /\r\nConnection: close\r\n/
const HANDSHAKE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']

t.test('a connection in use is told so with its next answer, and not cut before', async (t) => {
  const { gate } = await setUp(t)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  t.notMatch(await client.until(/ok$/), CLOSE)
  const drained = gate.gate.drain()
  await wait(50)
  client.send(requestBytes(gate.assertion()))
  t.match(await client.untilClose(), /ok[\s\S]*\r\nConnection: close\r\n[\s\S]*ok$/)
  await untilRefused(gate.port)
  await drained
})

t.test('a connection that was idle before is closed in half a second', async (t) => {
  const { gate } = await setUp(t)
  const [idle, silent] = await Promise.all([rawClient(gate.port), rawClient(gate.port)])
  idle.send(requestBytes(gate.assertion()))
  await idle.until(/ok$/)
  const started = performance.now()
  const drained = gate.gate.drain()
  t.equal(statusOf(await idle.untilClose()), 200)
  t.equal(await silent.untilClose(), '')
  await drained
  const duration = performance.now() - started
  t.ok(duration > 400 && duration < 3_000, `${Math.round(duration)} ms`)
})

t.test('who was connected when accepting ended is served', async (t) => {
  const { gate } = await setUp(t)
  const clients = Array.from({ length: 20 }, () => open(gate.port).socket)
  const answers = clients.map(async (socket) => {
    socket.write(requestBytes(gate.assertion()))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('close', resolve))
    return statusOf(text)
  })
  await Promise.all(clients.map((socket) => once(socket, 'connect')))
  await gate.gate.drain()
  t.same(await Promise.all(answers), Array(20).fill(200))
})

t.test('during drain_delay new connections are served, each for one answer', async (t) => {
  const { gate } = await setUp(t, { drainDelay: 300 })
  const drained = gate.gate.drain()
  for (let i = 0; i < 2; i++) {
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion()))
    const answer = await client.untilClose()
    t.equal(statusOf(answer), 200)
    t.match(answer, CLOSE)
  }
  await drained
})

t.test('during drain_delay a silent connection stays open', async (t) => {
  const { gate } = await setUp(t, { drainDelay: 900 })
  const client = await rawClient(gate.port)
  const drained = gate.gate.drain()
  await wait(700)
  client.send(requestBytes(gate.assertion()))
  t.match(await client.untilClose(), /\r\nConnection: close\r\n[\s\S]*ok$/)
  await drained
})

t.test('drain_timeout is for everything, drain_delay included', async (t) => {
  const { gate } = await setUp(t, { drainDelay: 20_000, drainTimeout: 300 })
  const started = performance.now()
  await gate.gate.drain()
  t.ok(performance.now() - started < 2_000)
})

t.test('a head that is half there when the drain begins is still answered', async (t) => {
  const { gate } = await setUp(t)
  const client = await rawClient(gate.port)
  const bytes = requestBytes(gate.assertion())
  client.send(bytes.slice(0, 40))
  const drained = gate.gate.drain()
  await wait(700)
  client.send(bytes.slice(40))
  t.match(await client.untilClose(), /\r\nConnection: close\r\n[\s\S]*ok$/)
  await drained
})

t.test('a head that is never completed is given up in header_timeout', async (t) => {
  const { gate } = await setUp(t, { headerTimeout: 300, drainTimeout: 20_000 })
  const client = await rawClient(gate.port)
  client.send('GET /t HTTP/1.1\r\nHost: a\r\n')
  const drained = gate.gate.drain()
  t.equal(statusOf(await client.untilClose()), 408)
  await drained
})

t.test('requests that were pipelined before are all answered, the last with close', async (t) => {
  const { app, gate } = await setUp(
    t,
    {},
    rawUpstream((socket, received) => {
      setTimeout(() => answering(OK)(socket, received), 100)
      socket.once('data', () => setTimeout(() => socket.emit('data', Buffer.alloc(0)), 150))
    }),
  )
  const client = await rawClient(gate.port)
  client.send([1, 2, 3].map(() => requestBytes(gate.assertion())).join(''))
  await app.until('\r\n\r\n')
  const drained = gate.gate.drain()
  const answers = (await client.untilClose()).split('HTTP/1.1 200 OK').slice(1)
  t.same(
    answers.map((answer) => CLOSE.test(answer)),
    [false, false, true],
  )
  await drained
})

t.test('at drain_timeout streams, unanswered requests and handshakes are cut', async (t) => {
  const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n'
  const { app, gate } = await setUp(
    t,
    { drainTimeout: 400 },
    rawUpstream((socket, received) => {
      socket.once('data', () => received().includes('/events') && socket.write(stream))
    }),
  )
  const [events, hanging, handshake] = await Promise.all([
    rawClient(gate.port),
    rawClient(gate.port),
    rawClient(gate.port),
  ])
  events.send(requestBytes(gate.assertion(), { line: 'GET /events HTTP/1.1' }))
  await events.until('data: 1')
  hanging.send(requestBytes(gate.assertion(), { line: 'GET /hanging HTTP/1.1' }))
  handshake.send(requestBytes(gate.assertion(), { line: 'GET /ws HTTP/1.1', lines: HANDSHAKE }))
  await app.until('/hanging')
  await app.until('/ws')
  const started = performance.now()
  await gate.gate.drain()
  const duration = performance.now() - started
  t.ok(duration > 350 && duration < 3_000, `${Math.round(duration)} ms`)
  t.notMatch(await events.untilClose(), /0\r\n\r\n$/, 'no clean end')
  t.equal(await hanging.untilClose(), '')
  t.equal(await handshake.untilClose(), '')
  t.match(
    gate.logLines().find(({ msg }) => msg === 'cut at the end of drain_timeout'),
    { connections: 3 },
  )
})

t.test('what was cut at drain_timeout is in the log when the drain is over', async (t) => {
  const silent = rawUpstream(() => undefined)
  const { app, gate } = await setUp(t, { drainDelay: 0, drainTimeout: 200 }, silent)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  await app.until('\r\n\r\n')
  await gate.gate.drain()
  t.match(
    gate.logLines().filter(({ msg }) => msg === 'request'),
    [{ decision: 'forward', aborted: true }],
  )
})

t.test('an exchange that never ends is waited for a second', async (t) => {
  let time = 0
  const now = () => {
    time += 250
    return time
  }
  await untilEnded(() => 1, now)
  t.equal(time, 1_250)
})

t.test('a handshake on an open connection is refused once no tunnel can begin', async (t) => {
  const { gate } = await setUp(t)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  await client.until(/ok$/)
  const handshake = requestBytes(gate.assertion(), { lines: HANDSHAKE })
  // A head that has begun is waited for, however slow this machine is.
  client.send(handshake.slice(0, 10))
  await wait(50)
  const drained = gate.gate.drain()
  await untilRefused(gate.port)
  client.send(handshake.slice(10))
  const answer = (await client.untilClose()).split('ok').at(-1) ?? ''
  t.equal(statusOf(answer), 503)
  t.equal(codeOf(answer), 'ERR_DRAINING')
  t.match(answer, /\r\nRetry-After: \d+\r\n/)
  await drained
})

t.test('a WebSocket client that sends without a pause still gets its 1001', async (t) => {
  const switching =
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const { gate } = await setUp(
    t,
    {},
    rawUpstream((socket) => {
      socket.once('data', () => socket.write(switching))
    }),
  )
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  await client.until('101')
  const timer = setInterval(() => client.send('x'.repeat(10_000)), 1)
  t.teardown(() => clearInterval(timer))
  const drained = gate.gate.drain()
  await once(client.socket, 'end')
  clearInterval(timer)
  t.equal(client.received().slice(-4), '\x88\x02\x03\xe9')
  client.socket.destroy()
  await drained
})

t.test('who was never ready does not wait for drain_delay', async (t) => {
  const { gate: other } = await setUp(t)
  const { createClaimgate } = await import('../src/server.ts')
  const { createLog } = await import('../src/log.ts')
  const { testConfig } = await import('./helpers/claimgate.ts')
  const config = { ...testConfig(other.port, '/absent.json'), drainDelay: 30_000 }
  const gate = await createClaimgate(config, { log: createLog({ ...config, logLevel: 'silent' }) })
  await gate.start()
  const started = performance.now()
  await gate.drain()
  t.ok(performance.now() - started < 5_000)
})

const appSockets: Socket[] = []

t.test('a second call waits for the same end', async (t) => {
  const { app, gate } = await setUp(
    t,
    {},
    rawUpstream((socket) => void appSockets.push(socket)),
  )
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  await app.until('\r\n\r\n')
  const order: string[] = []
  const first = gate.gate.drain().then(() => order.push('first'))
  const second = gate.gate.drain().then(() => order.push('second'))
  appSockets[0]?.write(OK)
  order.push(statusOf(await client.untilClose()) === 200 ? 'answered' : 'lost')
  await Promise.all([first, second])
  t.same(order, ['answered', 'first', 'second'])
})
