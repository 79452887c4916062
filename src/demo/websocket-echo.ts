import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { refuseUpgrade, type Upgrading } from './tunnel.ts'
import { closeFrame, encodeFrame, type Frame, OPCODES, takeFrame } from './websocket-frame.ts'

/** RFC 6455, 1.3: the constant that proves a server understood the handshake. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * Accepts a WebSocket (RFC 6455), sends `greeting` as a text message, then echoes every message. Enough for a
 * demo and for tests: no extensions, no fragmented messages, messages up to 64 KiB.
 */
export const answerWebSocket = ({ request, socket, head }: Upgrading, greeting: string): void => {
  const key = request.headers['sec-websocket-key']
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    refuseUpgrade(socket, 400)
    return
  }
  socket.write(acceptance(key, request.headers['sec-websocket-protocol']))
  socket.write(encodeFrame(OPCODES.text, Buffer.from(greeting)))
  echo(socket, head)
}

const acceptance = (key: string, offered: string | undefined): string => {
  const accept = createHash('sha1').update(`${key}${HANDSHAKE_GUID}`).digest('base64')
  const protocol = offered?.split(',')[0]?.trim()
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

const echo = (socket: Duplex, head: Buffer): void => {
  let unread = Buffer.alloc(0)
  const take = (chunk: Buffer): void => {
    unread = Buffer.concat([unread, chunk])
    for (;;) {
      const taken = takeFrame(unread)
      if (taken === 'incomplete' || socket.writableEnded) return
      if (taken === 'invalid') {
        socket.end(closeFrame(1002))
        return
      }
      unread = unread.subarray(taken.size)
      answerFrame(socket, taken)
    }
  }
  socket.on('data', take)
  socket.on('end', () => socket.end())
  take(head)
}

const answerFrame = (socket: Duplex, { opcode, payload }: Frame): void => {
  if (opcode === OPCODES.close) {
    socket.end(encodeFrame(OPCODES.close, payload))
    return
  }
  if (opcode === OPCODES.pong) return
  socket.write(encodeFrame(opcode === OPCODES.ping ? OPCODES.pong : opcode, payload))
}
