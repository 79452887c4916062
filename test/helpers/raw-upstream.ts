import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** An upstream that records every byte it gets and answers by script. */
export interface RawUpstream {
  readonly port: number
  /** The bytes of each connection in order of arrival, Latin-1. */
  readonly received: () => readonly string[]
  readonly connections: () => number
  /** Resolves when all bytes together match. */
  until(wanted: RegExp | string): Promise<string>
  close(): Promise<void>
}

export type Script = (socket: Socket, received: () => string) => void

/** Answers each request whose head is complete and whose Content-Length body has come with `answer`. */
export function answering(answer: string): Script {
  return (socket, received) => {
    let answered = 0
    socket.on('data', () => {
      const requests = countRequests(received())
      for (; answered < requests; answered++) socket.write(answer, 'latin1')
    })
  }
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok'

function countRequests(text: string): number {
  let count = 0
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end === -1) return count
    const head = text.slice(at, end)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const isChunked = /\r\ntransfer-encoding: chunked/i.test(head)
    const bodyEnd = isChunked ? text.indexOf('0\r\n\r\n', end + 4) + 5 : end + 4 + length
    if (bodyEnd > text.length || (isChunked && bodyEnd < end + 9)) return count
    count++
    at = bodyEnd
  }
}

export async function rawUpstream(script: Script = answering(OK)): Promise<RawUpstream> {
  const texts: string[] = []
  const sockets = new Set<Socket>()
  const watchers = new Set<() => void>()
  const server = createServer((socket) => {
    const index = texts.push('') - 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      texts[index] += chunk.toString('latin1')
    })
    script(socket, () => texts[index] ?? '')
    socket.on('data', () => {
      for (const look of watchers) look()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    received: () => texts,
    connections: () => texts.length,
    until(wanted) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(look)
          reject(new Error(`upstream waited in vain after ${JSON.stringify(texts)}`))
        }, 5_000)
        const look = () => {
          const all = texts.join('')
          if (typeof wanted === 'string' ? !all.includes(wanted) : !wanted.test(all)) return
          clearTimeout(timer)
          watchers.delete(look)
          resolve(all)
        }
        watchers.add(look)
        look()
      })
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
