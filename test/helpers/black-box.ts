import type { Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { type RunningClaimgate, requestBytes, startClaimgate } from './claimgate.ts'
import { rawClient, statusOf } from './raw-client.ts'
import { OK, type RawUpstream, rawUpstream, type Script } from './raw-upstream.ts'

/** What came of one request that was sent as raw bytes; text is Latin-1, one character per byte. */
export interface Outcome {
  readonly status: number
  readonly answer: string
  /** What reached the upstream of it. */
  readonly upstream: string
}

export interface BlackBox {
  readonly claimgate: RunningClaimgate
  /** Sends the bytes on a new connection and waits for the head of the final answer. */
  send(bytes: string): Promise<Outcome>
  /** Whether the process lives and a good request gets its own 200. */
  isWell(): Promise<boolean>
}

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** Answers every head with 200, a WebSocket handshake with 101. */
const answerHeads: Script = (socket, received) => {
  let answered = 0
  socket.on('data', () => {
    const heads = received().split('\r\n\r\n').slice(0, -1)
    for (const head of heads.slice(answered)) {
      socket.write(/^upgrade: websocket$/im.test(head) ? SWITCHING : OK, 'latin1')
    }
    answered = heads.length
  })
}

/** claimgate between a raw client and an upstream that records every byte. */
export async function openBlackBox(t: Test, changes: Partial<Config> = {}): Promise<BlackBox> {
  const upstream = await openRecorder(t)
  const claimgate = await startClaimgate(t, upstream.port, changes)
  return boxOf(claimgate, upstream, claimgate.port)
}

/** The upstream of a box. */
export async function openRecorder(t: Test): Promise<RawUpstream> {
  const upstream = await rawUpstream(answerHeads)
  t.teardown(() => upstream.close())
  return upstream
}

/** What stands between the raw client and the upstream, reached at `port`, is decided about by `claimgate`. */
export function boxOf(claimgate: RunningClaimgate, upstream: RawUpstream, port: number): BlackBox {
  const arrived = () => upstream.received().map((text) => text.length)
  const since = (before: readonly number[]) =>
    upstream
      .received()
      .map((text, i) => text.slice(before[i] ?? 0))
      .join('')

  const send = async (bytes: string): Promise<Outcome> => {
    const before = arrived()
    const client = await rawClient(port)
    client.send(bytes)
    const answer = finalAnswer(await client.until((text) => isWhole(finalAnswer(text))))
    client.socket.destroy()
    return { status: statusOf(answer), answer, upstream: since(before) }
  }
  return {
    claimgate,
    send,
    async isWell() {
      const { status, upstream } = await send(requestBytes(claimgate.assertion({ sub: 'well' })))
      return status === 200 && upstream.startsWith('GET /t HTTP/1.1\r\n')
    },
  }
}

/** The values of each field of a head, by its name in lower case. */
export function fieldsOf(head: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>()
  for (const line of head.split('\r\n\r\n', 1).join('').split('\r\n').slice(1)) {
    const [, name = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? []
    const key = name.toLowerCase()
    fields.set(key, [...(fields.get(key) ?? []), value])
  }
  return fields
}

/** Without the interim answers in front; 101 is a final one. */
function finalAnswer(text: string): string {
  const [first = '', ...rest] = text.split('\r\n\r\n')
  const isInterim = first.startsWith('HTTP/1.1 1') && !first.startsWith('HTTP/1.1 101')
  return isInterim && rest.length > 0 ? finalAnswer(rest.join('\r\n\r\n')) : text
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer.slice(0, end))?.[1] ?? 0)
  return answer.length >= end + 4 + length
}
