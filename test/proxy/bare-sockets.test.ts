import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import t from 'tap'
import type { Decision } from '../../src/decision.ts'
import type { Exchange } from '../../src/exchange.ts'
import { createBareSocketHandlers } from '../../src/proxy/bare-sockets.ts'
import { createRecorder } from '../../src/proxy/recorder.ts'
import type { TunnelRequest } from '../../src/proxy/tunnel.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'

const RAW = ['Host', 'a', 'Connection', 'Upgrade', 'Upgrade', 'websocket', 'X-Claim', 'mallory']
const HANDSHAKE = {
  method: 'GET',
  url: '/ws',
  httpVersion: '1.1',
  rawHeaders: RAW,
} as unknown as IncomingMessage

/** The handlers with a decision that the test gives, and a tunnel that it opens. */
function setUp() {
  const { promise, resolve } = Promise.withResolvers<Decision>()
  const ended: Exchange[] = []
  const opened: TunnelRequest[] = []
  const recorder = createRecorder({
    config: { errorDetail: 'code', logEmail: true },
    decide: () => promise,
    observer: { begin: () => undefined, end: (exchange) => void ended.push(exchange) },
    log: createLogRecorder() as unknown as Parameters<typeof createRecorder>[0]['log'],
    now: () => 0,
    defer: (run) => run(),
  })
  const handlers = createBareSocketHandlers({
    current: () => ({
      recorder,
      openTunnel: (request) => void opened.push(request),
      headerRules: {
        assertionHeader: 'x-assertion',
        isReserved: (name) => name === 'X-Claim',
        host: undefined,
      },
    }),
  })
  const decide = async () => {
    resolve({ lines: ['X-Claim', 'ann'], verified: undefined, dropped: 0 })
    await settle()
  }
  return { handlers, decide, ended, opened }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A socket that keeps what is written to it. */
function socketOf() {
  const written: Buffer[] = []
  const socket = new Duplex({
    read: () => undefined,
    write(chunk, _encoding, done) {
      written.push(chunk)
      done()
    },
  })
  return { socket: socket as unknown as Socket, text: () => Buffer.concat(written).toString() }
}

const opening = (status: number[]) => ({ close: (code: number) => void status.push(code) })

t.test('a tunnel is asked for after the decision, with the identity alone', async (t) => {
  const { handlers, decide, opened } = setUp()
  const { socket } = socketOf()
  handlers.upgrade(HANDSHAKE, socket, Buffer.from('early'), () => undefined)
  await settle()
  t.equal(opened.length, 0)
  await decide()
  t.match(opened, [{ target: '/ws', headers: ['Host', 'a', 'X-Claim', 'ann'] }])
  t.equal(opened[0]?.early.toString(), 'early')
  t.equal(opened[0]?.exchange.stripped, 1)
})

t.test('for a client that went away during the decision nothing is dialled', async (t) => {
  const { handlers, decide, opened } = setUp()
  const { socket } = socketOf()
  handlers.upgrade(HANDSHAKE, socket, Buffer.alloc(0), () => undefined)
  socket.destroy()
  await decide()
  t.equal(opened.length, 0)
})

t.test('a tunnel counts while it is open, and its exchange ends with it', async (t) => {
  const { handlers, decide, opened, ended } = setUp()
  const { socket } = socketOf()
  let isNext = false
  handlers.upgrade(HANDSHAKE, socket, Buffer.alloc(0), () => {
    isNext = true
  })
  await decide()
  opened[0]?.onOpen(opening([]))
  t.equal(handlers.tunnels.size, 1)
  t.equal(ended.length, 0)
  socket.destroy()
  await settle()
  t.equal(handlers.tunnels.size, 0)
  t.same(ended, [opened[0]?.exchange])
  t.equal(isNext, true)
})

t.test('a tunnel that opens when the drain has begun is closed with 1001', async (t) => {
  const { handlers, decide, opened } = setUp()
  handlers.upgrade(HANDSHAKE, socketOf().socket, Buffer.alloc(0), () => undefined)
  await decide()
  handlers.drain()
  const codes: number[] = []
  opened[0]?.onOpen(opening(codes))
  t.same(codes, [1001])
})

t.test('a handshake that is decided when the drain has begun is refused', async (t) => {
  const { handlers, decide, opened } = setUp()
  const { socket, text } = socketOf()
  handlers.upgrade(HANDSHAKE, socket, Buffer.alloc(0), () => undefined)
  handlers.drain()
  await decide()
  t.equal(opened.length, 0)
  t.match(text(), /^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*ERR_DRAINING/)
})

for (const [code, status] of [
  ['HPE_INVALID_METHOD', '400 Bad Request'],
  ['HPE_INVALID_VERSION', '505 HTTP Version Not Supported'],
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
] as const)
  t.test(`${code} of the parser is answered with ${status}, and recorded`, async (t) => {
    const { handlers, ended } = setUp()
    const { socket, text } = socketOf()
    handlers.parserError(Object.assign(new Error('secret'), { code }), socket)
    const answer = text()
    t.ok(answer.startsWith(`HTTP/1.1 ${status}\r\n`), answer)
    t.match(answer, /\r\nConnection: close\r\n/)
    t.notMatch(answer, 'secret')
    t.match(ended, [{ code: 'ERR_REQUEST_MALFORMED', reason: code, decision: 'reject' }])
  })

t.test('CONNECT and one connection too many are answered, and recorded', async (t) => {
  const { handlers, ended } = setUp()
  const [connect, tooMany] = [socketOf(), socketOf()]
  handlers.connectMethod(HANDSHAKE, connect.socket)
  t.match(connect.text(), /^HTTP\/1\.1 405 Method Not Allowed\r\n/)
  handlers.overloaded(tooMany.socket)
  t.match(tooMany.text(), /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: \d+\r\n/)
  t.match(ended, [
    { method: 'CONNECT', code: 'ERR_REQUEST_MALFORMED', status: 405 },
    { method: '-', code: 'ERR_OVERLOADED', status: 503 },
  ])
})
