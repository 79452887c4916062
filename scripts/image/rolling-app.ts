/**
 * The app of the rolling restart. It runs in claimgate's own image, as a text that Node gets by `-e`, so it imports
 * nothing but Node. Tells who asked and how long the body was, a little later; WebSockets get a tick. On SIGTERM it
 * ends as a good app does: what is open is finished, WebSockets are closed with 1001.
 */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'

const MOST_DELAY_MS = 40
const TICK_MS = 50
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const GOING_AWAY = Buffer.from([0x88, 2, 0x03, 0xe9])
const TICK = Buffer.from([0x81, 4, ...Buffer.from('tick')])

const webSockets = new Set<Socket>()

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  request.on('end', () => {
    const email = request.headers['x-pomerium-claim-email'] ?? null
    const say = () => response.end(JSON.stringify({ email, bytes }))
    setTimeout(say, Math.random() * MOST_DELAY_MS)
  })
})
server.on('upgrade', (request, socket: Socket) => {
  const key = String(request.headers['sec-websocket-key'])
  const accept = createHash('sha1').update(`${key}${HANDSHAKE_GUID}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  webSockets.add(socket)
  const timer = setInterval(() => socket.writable && socket.write(TICK), TICK_MS)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    if (chunk[0] === 0x88) socket.end(Buffer.from([0x88, 0]))
  })
  socket.on('close', () => {
    clearInterval(timer)
    webSockets.delete(socket)
  })
})
process.once('SIGTERM', () => {
  server.close()
  for (const socket of webSockets) socket.end(GOING_AWAY)
})
server.listen(8080, '127.0.0.1')
