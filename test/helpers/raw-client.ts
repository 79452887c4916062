import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { open } from './transport.ts'

/** A client that sends exact bytes and keeps all that comes back; text is Latin-1, one character per byte. */
export interface RawClient {
  readonly socket: Socket
  send(bytes: string | Buffer): void
  received(): string
  /** Resolves with all received once it matches; rejects when the connection ends or 5 s pass before. */
  until(wanted: RegExp | string | ((received: string) => boolean)): Promise<string>
  /** Resolves with all received when the connection has ended. */
  untilClose(limit?: number): Promise<string>
}

type Timer = NodeJS.Timeout

export async function rawClient(port: number): Promise<RawClient> {
  const { socket, opened } = open(port)
  const client = clientOn(socket)
  await once(socket, opened)
  return client
}

/** As {@link rawClient}, in TLS; rejects when the handshake fails. In TLS 1.3 the server may still refuse after it. */
export async function tlsClient(port: number, options: ConnectionOptions): Promise<RawClient> {
  const socket = connectTls({ host: '127.0.0.1', port, ...options })
  const client = clientOn(socket)
  await once(socket, 'secureConnect')
  return client
}

function clientOn(socket: Socket): RawClient {
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  return {
    socket,
    send: (bytes) => void socket.write(bytes, 'latin1'),
    received: () => text,
    until(wanted) {
      const matches = () => {
        if (typeof wanted === 'function') return wanted(text)
        return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
      }
      return settleWhen(socket, () => text, matches, 'reject')
    },
    untilClose: (limit) =>
      settleWhen(
        socket,
        () => text,
        () => false,
        'resolve',
        limit,
      ),
  }
}

function settleWhen(
  socket: Socket,
  text: () => string,
  matches: () => boolean,
  atClose: 'resolve' | 'reject',
  limit = 5_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let timer: Timer
    const done = (error?: Error) => {
      clearTimeout(timer)
      socket.off('data', look).off('close', closed)
      if (error === undefined) resolve(text())
      else reject(error)
    }
    const look = () => {
      if (matches()) done()
    }
    const closed = () =>
      done(
        atClose === 'resolve' || matches()
          ? undefined
          : new Error(`connection ended after ${JSON.stringify(text())}`),
      )
    timer = setTimeout(
      () => done(new Error(`waited in vain after ${JSON.stringify(text())}`)),
      limit,
    )
    socket.on('data', look).on('close', closed)
    if (matches()) done()
    else if (socket.closed) closed()
  })
}

/** Sends bytes on a new connection and resolves with the answer when the server ends it. */
export async function exchangeBytes(port: number, bytes: string | Buffer): Promise<string> {
  const client = await rawClient(port)
  client.send(bytes)
  return client.untilClose()
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
export const codeOf = (answer: string): string | undefined => /"code":"([A-Z_]+)"/.exec(answer)?.[1]
