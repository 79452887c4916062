import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Reply {
  readonly status: number
  readonly head: string
  /** Latin-1. */
  readonly body: string
  /** Whether the connection must not be used again. */
  readonly isLast: boolean
}

export type Loss = 'reset' | 'closed' | 'truncated' | 'late'

/** A request on an open connection was not answered in full. */
export class LostError extends Error {
  override readonly name = 'LostError'
  readonly loss: Loss
  constructor(loss: Loss) {
    super(loss)
    this.loss = loss
  }
}

/** One client connection that is used as long as the server allows. Nothing is ever sent again. */
export interface KeepAliveClient {
  readonly socket: Socket
  /** One request at a time, or nothing for the answer to a pipelined one; rejects with a {@link LostError}. */
  ask(bytes: string): Promise<Reply>
  isOpen(): boolean
  end(): void
}

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: LostError) => void
  readonly timer: NodeJS.Timeout
}

export async function keepAliveClient(
  address: { readonly port: number; readonly host?: string },
  limit = 10_000,
): Promise<KeepAliveClient> {
  const socket = connect({ host: '127.0.0.1', ...address })
  socket.setNoDelay(true)
  let received = ''
  let waiting: Waiting | undefined
  let isLast = false
  let broken: Loss = 'closed'

  const settle = (outcome: Reply | Loss) => {
    if (waiting === undefined) return
    const { resolve, reject, timer } = waiting
    waiting = undefined
    clearTimeout(timer)
    if (typeof outcome === 'string') reject(new LostError(outcome))
    else resolve(outcome)
  }
  const look = () => {
    if (waiting === undefined) return
    const reply = takeReply(received)
    if (reply === undefined) return
    received = received.slice(reply.length)
    isLast = reply.isLast
    if (isLast) socket.end()
    settle(reply)
  }
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    look()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') broken = 'reset'
  })
  socket.on('end', () => {
    isLast = true
    settle(received === '' ? 'closed' : 'truncated')
  })
  socket.on('close', () => settle(received === '' ? broken : 'truncated'))
  await once(socket, 'connect')
  return {
    socket,
    ask: (bytes) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => settle('late'), limit)
        waiting = { resolve, reject, timer }
        if (!socket.destroyed) socket.write(bytes, 'latin1')
        // What was asked for together may have been answered together.
        look()
        if (socket.destroyed) settle(broken)
      }),
    isOpen: () => !isLast && !socket.destroyed,
    end: () => socket.destroy(),
  }
}

/** The first whole answer, interim ones left out; `undefined` while it is not whole. */
function takeReply(text: string): (Reply & { readonly length: number }) | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const status = Number(head.slice(9, 12))
  if (status < 200 && status !== 101) {
    const final = takeReply(text.slice(end + 4))
    return final === undefined ? undefined : { ...final, length: final.length + end + 4 }
  }
  const body = takeBody(text, end + 4, head)
  if (body === undefined) return undefined
  return {
    status,
    head,
    body: body.text,
    isLast: /\r\nconnection: close/i.test(head),
    length: body.end,
  }
}

function takeBody(text: string, start: number, head: string) {
  if (!/\r\ntransfer-encoding: chunked/i.test(head)) {
    const end = start + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    return text.length < end ? undefined : { text: text.slice(start, end), end }
  }
  let body = ''
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    const next = line + 2 + size + 2
    if (text.length < next) return undefined
    if (size === 0) return { text: body, end: next }
    body += text.slice(line + 2, next - 2)
    at = next
  }
}
