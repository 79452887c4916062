import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { type Message, readRequests, valuesOf } from './strict-reading.ts'

export interface RecordingUpstream {
  readonly port: number
  /** All bytes of each connection since its birth, Latin-1. */
  connections(): readonly string[]
  /** Every whole request so far, as the strict parser reads it. */
  requests(): readonly Message[]
}

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/**
 * Keeps every byte and answers each request that the strict parser has read whole with its own method and target, so
 * that an answer that goes to another request shows. A handshake gets its 101; what follows it is only kept.
 */
export async function openRecordingUpstream(t: Test): Promise<RecordingUpstream> {
  const texts: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const index = texts.push('') - 1
    let readUpTo = 0
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      const text = `${texts[index]}${chunk.toString('latin1')}`
      texts[index] = text
      const { messages, end } = readRequests(text, readUpTo)
      readUpTo = end
      for (const message of messages) socket.write(answerTo(message), 'latin1')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => texts,
    requests: () => texts.flatMap((text) => readRequests(text).messages),
  }
}

function answerTo({ startLine, fields }: Message): string {
  if (valuesOf(fields, 'upgrade').includes('websocket')) return SWITCHING
  const [method = '', target = ''] = startLine.split(' ')
  const body = `${method} ${target}`
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`
  return method === 'HEAD' ? head : head + body
}
