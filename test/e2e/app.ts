import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Owner } from '../helpers/program.ts'

/** An app on loopback for tests of load: answers after a delay, streams events, ticks over WebSockets. */
export interface App {
  readonly port: number
  /** Requests and handshakes that arrived. */
  arrived(): number
  /** Ends the listener and every connection. */
  stop(): Promise<void>
  /** Listens on the same port again. */
  restart(): Promise<void>
}

export interface AppOptions {
  /** Of every answer to a plain request, milliseconds. */
  readonly delay?: number
  readonly host?: string
  /** Sees every request and handshake. */
  readonly onArrival?: (request: IncomingMessage) => void
}

const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export async function startApp(
  owner: Owner,
  { delay = 0, host = '127.0.0.1', onArrival }: AppOptions = {},
): Promise<App> {
  let server: Server
  let port = 0
  let arrived = 0
  const sockets = new Set<Socket>()

  const listen = async () => {
    server = createServer({ keepAliveTimeout: 60_000, maxHeaderSize: 256 * 1024 })
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    })
    server.on('request', (request, response) => {
      arrived += 1
      onArrival?.(request)
      answer(request, response, delay)
    })
    server.on('upgrade', (request, socket: Socket) => {
      arrived += 1
      onArrival?.(request)
      tick(request, socket)
    })
    server.listen(port, host)
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  await listen()
  owner.teardown(stop)
  return { port, arrived: () => arrived, stop, restart: listen }
}

/** `/events` never ends; `/size/N` answers with N bytes; all else tells who asked and how long the body was. */
function answer(request: IncomingMessage, response: ServerResponse, delay: number): void {
  const target = request.url ?? ''
  if (target.startsWith('/events')) {
    sendEvents(response)
    return
  }
  const size = /^\/size\/(\d+)/.exec(target)?.[1]
  if (size !== undefined) {
    response.end(bodyOf(Number(size)))
    return
  }
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  request.on('end', () => {
    const { headers } = request
    const seen = {
      email: headers['x-pomerium-claim-email'] ?? null,
      groups: headers['x-pomerium-claim-groups'] ?? null,
      mark: headers['x-mark'] ?? null,
      bytes,
    }
    setTimeout(() => {
      if (!response.destroyed) response.end(JSON.stringify(seen))
    }, delay)
  })
}

let longest = Buffer.alloc(0)

/** Kept for all answers: many clients may ask for much at once. */
function bodyOf(size: number): Buffer {
  if (size > longest.length) longest = Buffer.alloc(size, 'x')
  return longest.subarray(0, size)
}

function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  const timer = setInterval(() => response.write(`data: ${Date.now()}\n\n`), 20)
  response.on('close', () => clearInterval(timer))
}

/** A tick every 20 ms after the handshake, until the client closes. */
function tick(request: IncomingMessage, socket: Socket): void {
  const key = String(request.headers['sec-websocket-key'])
  const accept = createHash('sha1').update(`${key}${HANDSHAKE_GUID}`).digest('base64')
  const email = String(request.headers['x-pomerium-claim-email'] ?? '-')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nX-Seen-Email: ${email}\r\n\r\n`,
  )
  socket.write(textFrame('hello'))
  const timer = setInterval(() => {
    if (socket.writable) socket.write(textFrame('tick'))
  }, 20)
  socket.on('close', () => clearInterval(timer))
  // A close frame is answered with one.
  socket.on('data', (chunk: Buffer) => {
    if (chunk[0] === 0x88) socket.end(Buffer.from([0x88, 0]))
  })
  socket.on('end', () => socket.end())
}

function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)])
}
