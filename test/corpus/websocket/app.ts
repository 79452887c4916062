import { createServer, type IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Script } from '../../helpers/raw-upstream.ts'

/** A real WebSocket server that takes over the connections of the scripted upstream. It echoes. */
export interface App {
  readonly script: Script
  /** The handshakes it accepted. */
  readonly handshakes: readonly IncomingMessage[]
  readonly sockets: readonly WebSocket[]
  /** Payloads of the pings that reached it. */
  readonly pings: readonly string[]
}

export function createApp(): App {
  const handshakes: IncomingMessage[] = []
  const sockets: WebSocket[] = []
  const pings: string[] = []
  const http = createServer((_request, response) => response.end('ok'))
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: { threshold: 0 },
    maxPayload: 64 * 1024 * 1024,
  })
  server.on('connection', (socket, request) => {
    handshakes.push(request)
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('ping', (data) => pings.push(String(data)))
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  return {
    script: (socket) => void http.emit('connection', socket),
    handshakes,
    sockets,
    pings,
  }
}
