import { connect, type Socket } from 'node:net'
import { createAnswerReader } from './answer.ts'
import { type RequestBytes, requestHead } from './requests.ts'

/** Connections that stay open. */
export interface Held {
  readonly size: number
  close(): void
}

/** So many connections are opened at once. */
const AT_ONCE = 16
const ANSWER_LIMIT = 10_000

/** Opens `count` connections with `make`, a few at a time; closes all of them when one cannot be opened. */
async function openMany(count: number, make: (index: number) => Promise<Socket>) {
  const sockets: Socket[] = []
  const close = () => {
    for (const socket of sockets.splice(0)) socket.destroy()
  }
  let begun = 0
  const opener = async () => {
    while (begun < count) sockets.push(await make(begun++))
  }
  const outcomes = await Promise.allSettled(Array.from({ length: AT_ONCE }, opener))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed === undefined) return { sockets, close }
  close()
  throw failed.reason
}

/** Opens a socket, writes `request` and resolves when `isAnswered` says so. A later error of the socket is nobody's. */
function ask(
  port: number,
  request: RequestBytes,
  isAnswered: (chunk: Buffer) => boolean,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const fail = (why: string) => {
      socket.destroy()
      reject(new Error(`port ${port}: ${why}`))
    }
    const timer = setTimeout(fail, ANSWER_LIMIT, 'no answer in time')
    const onClose = () => fail('closed without an answer')
    const onData = (chunk: Buffer) => {
      try {
        if (!isAnswered(chunk)) return
      } catch (error) {
        return fail(String(error))
      }
      clearTimeout(timer)
      socket.off('data', onData).off('close', onClose)
      resolve(socket)
    }
    socket.on('error', (error) => fail(error.message))
    socket.on('close', onClose).on('data', onData)
    for (const bytes of request) socket.write(bytes)
  })
}

/** Connections on each of which one request was answered with 200, and that are idle since. */
export async function holdIdle(
  port: number,
  count: number,
  requests: readonly RequestBytes[],
): Promise<Held> {
  const { sockets, close } = await openMany(count, (index) => {
    const take = createAnswerReader()
    return ask(port, requests[index % requests.length] ?? [], (chunk) => {
      const answer = take(chunk)
      if (answer === undefined) return false
      if (answer.status !== 200) throw new Error(`${answer.status} instead of 200`)
      return true
    })
  })
  return { size: sockets.length, close }
}

/** Open WebSockets. */
export interface HeldWebSockets extends Held {
  /** On each of the sockets, one message and its echo at a time, `rounds` times; all sockets at once. */
  echo(rounds: number, bytes: number): Promise<void>
}

/** @param tokens The assertions of the handshakes, in turn. */
export async function holdWebSockets(
  port: number,
  count: number,
  { host, tokens }: { readonly host: string; readonly tokens: readonly string[] },
): Promise<HeldWebSockets> {
  const { sockets, close } = await openMany(count, (index) =>
    ask(port, [handshake(host, tokens[index % tokens.length] ?? '')], (chunk) => {
      const status = chunk.toString('latin1', 9, 12)
      if (status !== '101') throw new Error(`${status} instead of 101`)
      return chunk.includes('\r\n\r\n')
    }),
  )
  return {
    size: sockets.length,
    close,
    async echo(rounds, bytes) {
      await Promise.all(sockets.map((socket) => echoOn(socket, rounds, bytes)))
    },
  }
}

const HANDSHAKE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

const handshake = (host: string, token: string): Buffer => {
  const head = requestHead({ method: 'GET', target: '/ws', host, body: 0 }, token)
  return Buffer.concat([head.subarray(0, -2), Buffer.from(HANDSHAKE)])
}

/** A binary frame with a mask of zeros, so that the bytes are their own masked form. At most 125 bytes of payload. */
export const clientFrame = (bytes: number): Buffer =>
  Buffer.concat([Buffer.from([0x82, 0x80 | bytes, 0, 0, 0, 0]), Buffer.alloc(bytes, 'x')])

function echoOn(socket: Socket, rounds: number, bytes: number): Promise<void> {
  const frame = clientFrame(bytes)
  const wanted = bytes + 2
  return new Promise((resolve, reject) => {
    let left = rounds
    let got = 0
    const timer = setTimeout(() => end(new Error('a WebSocket has lost messages')), 60_000)
    const onClose = () => end(new Error('a WebSocket was closed'))
    const end = (error?: Error) => {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onData = (chunk: Buffer) => {
      got += chunk.length
      if (got < wanted) return
      got = 0
      left -= 1
      if (left === 0) end()
      else socket.write(frame)
    }
    socket.on('data', onData).on('close', onClose)
    socket.write(frame)
  })
}
