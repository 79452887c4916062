import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { type Connect, createConnect, type OnBytes } from '../../src/proxy/connector.ts'

const NO_TLS = { ca: undefined, serverName: undefined, cert: undefined, key: undefined }

/** A listener on loopback; with `meet` something happens to each connection. */
async function listenerOf(t: Test, meet: (socket: Socket) => void = () => undefined) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    meet(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const connectTo = (port: number, protocol: 'http:' | 'https:' = 'http:', timeout = 5_000) =>
  createConnect({ protocol, hostname: '127.0.0.1', port }, NO_TLS, timeout)

interface Outcome {
  readonly error: Error | null
  readonly socket: Socket | null
}

/** What the callback was given, and how often it was called. */
function dial(connect: Connect, onBytes?: OnBytes) {
  const outcomes: Outcome[] = []
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const socket = connect((error, socket) => {
    outcomes.push({ error, socket })
    resolve({ error, socket })
  }, onBytes)
  return { socket, outcomes, outcome: promise }
}

t.test('a connection to an upstream that is silent is ready', async (t) => {
  const { outcome } = dial(connectTo(await listenerOf(t)))
  const { error, socket } = await outcome
  t.equal(error, null)
  t.equal(socket?.readyState, 'open')
  socket?.destroy()
})

t.test('an upstream that speaks before any request is not believed', async (t) => {
  const port = await listenerOf(t, (socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n'))
  const told: Buffer[] = []
  for (const onBytes of [undefined, (bytes: Buffer) => void told.push(bytes)])
    for (let round = 0; round < 10; round++) {
      const { outcome, socket } = dial(connectTo(port), onBytes)
      t.match(await outcome, { error: { message: 'upstream spoke first' }, socket: null })
      t.equal(socket.destroyed, true)
    }
  t.same(told, [], 'nobody had asked')
})

t.test('what comes goes to who dialled', async (t) => {
  const port = await listenerOf(t, (socket) => void socket.on('data', () => socket.write('pong')))
  const { promise, resolve } = Promise.withResolvers<string>()
  const { outcome } = dial(connectTo(port), (bytes) => resolve(bytes.toString('latin1')))
  const { socket } = await outcome
  socket?.write('ping')
  t.equal(await promise, 'pong')
  socket?.destroy()
})

t.test('a connection that is not ready in time is given up', async (t) => {
  const port = await listenerOf(t)
  const { outcome, socket } = dial(connectTo(port, 'https:', 50))
  t.match(await outcome, { error: { name: 'ConnectTimeoutError' }, socket: null })
  t.equal(socket.destroyed, true)
})

t.test('a connection given up before it is ready is told so, once', async (t) => {
  const { socket, outcome, outcomes } = dial(connectTo(await listenerOf(t)))
  socket.destroy()
  t.match(await outcome, { error: { message: 'closed while connecting' }, socket: null })
  t.equal(outcomes.length, 1)
})

t.test('a closed port is told once', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const { socket, outcome, outcomes } = dial(connectTo(port))
  t.match(await outcome, { error: { code: 'ECONNREFUSED' }, socket: null })
  if (!socket.closed) await once(socket, 'close')
  t.equal(outcomes.length, 1)
})

t.test('a fault of a connection that was ready harms nobody', async (t) => {
  const { outcome, outcomes } = dial(connectTo(await listenerOf(t)))
  const { socket } = await outcome
  t.doesNotThrow(() => socket?.emit('error', new Error('late')))
  socket?.destroy()
  t.equal(outcomes.length, 1)
})
