import { once } from 'node:events'
import { WebSocket } from 'ws'
import { createMint } from '../../src/demo/mint.ts'
import type { SigningKey } from '../../src/demo/signing-key.ts'
import { requestBytes } from '../../test/helpers/claimgate.ts'
import {
  type KeepAliveClient,
  keepAliveClient,
  LostError,
} from '../../test/helpers/keep-alive-client.ts'
import { pause } from '../../test/helpers/program.ts'
import type { Endpoint, Service, View } from './service.ts'

export interface LoadOptions {
  readonly service: Service
  readonly signingKey: SigningKey
  /** Issuer and audience of the assertions. */
  readonly host: string
  readonly connections: number
  readonly webSockets: number
}

export interface Totals {
  readonly sent: number
  readonly right: number
  /** Of the right answers, those that came from a pod after its termination had begun. */
  readonly byEnding: number
  /** Connections of clients that were opened. */
  readonly opened: number
  /** What became of the others, and how often. */
  readonly lost: ReadonlyMap<string, number>
  /** Of WebSockets that this side did not close: code, and how often. */
  readonly closeCodes: ReadonlyMap<number, number>
}

/** Most requests of one connection: new ones are opened all the time, also towards pods that are about to end. */
const MOST_REQUESTS = 100
/** Now and then a client rests longer than claimgate waits for silent ones at its end. */
const PAUSES = { usual: 100, long: 1500, longShare: 0.02 } as const
const MOST_BODY = 32 * 1024

/** Sends requests and holds WebSockets until `stop`; nothing is ever sent a second time. */
export function startLoad(options: LoadOptions) {
  const { service, signingKey, host } = options
  const mint = createMint(signingKey)
  const lost = new Map<string, number>()
  const closeCodes = new Map<number, number>()
  let [sent, right, byEnding, opened, serial] = [0, 0, 0, 0, 0]
  let isOver = false

  const stamp = async () => {
    const email = `user-${serial++}@example.com`
    const user = { login: 'load', id: 'load', email, name: 'Load', groups: ['staff'] }
    return { email, assertion: await mint(host, user) }
  }
  const lose = (how: string) => void lost.set(how, (lost.get(how) ?? 0) + 1)

  const exchange = async (client: KeepAliveClient, endpoint: Endpoint): Promise<void> => {
    const { email, assertion } = await stamp()
    // It may have been closed meanwhile; then nothing was sent.
    if (!client.isOpen()) return
    const body = Math.random() < 0.4 ? 'b'.repeat(Math.random() * MOST_BODY) : undefined
    sent += 1
    const what = body === undefined ? 'GET' : 'POST'
    const when = () =>
      endpoint.endedAt === undefined ? '' : ` ${sinceEnd(endpoint)} ms after the end began`
    try {
      const reply = await client.ask(bytesOf(assertion, body))
      const seen = reply.status === 200 ? JSON.parse(reply.body) : undefined
      if (seen?.email === email && seen.bytes === (body?.length ?? 0)) {
        right += 1
        if (endpoint.endedAt !== undefined) byEnding += 1
      } else
        lose(
          `${what} ${reply.status === 200 ? 'another answer' : `status ${reply.status}`}${when()}`,
        )
    } catch (error) {
      lose(`${what} ${error instanceof LostError ? error.loss : String(error)}${when()}`)
    }
  }

  const useConnection = async (view: View): Promise<void> => {
    const endpoint = view.pick()
    const client = endpoint && (await keepAliveClient(dial(endpoint)).catch(() => undefined))
    if (endpoint === undefined || client === undefined) {
      sent += 1
      lose(endpoint === undefined ? 'no endpoint' : 'refused')
      await pause(PAUSES.usual)
      return
    }
    opened += 1
    const most = Math.random() * MOST_REQUESTS
    for (let n = 0; n < most && !isOver && client.isOpen(); n += 1) {
      await exchange(client, endpoint)
      const isLong = Math.random() < PAUSES.longShare
      await pause(Math.random() * (isLong ? PAUSES.long : PAUSES.usual))
    }
    client.end()
  }
  const dial = ({ address }: Endpoint) => ({ host: address, port: service.dataPort })

  const holdWebSocket = async (view: View): Promise<void> => {
    const endpoint = view.pick()
    if (endpoint === undefined) return pause(PAUSES.usual)
    const { assertion } = await stamp()
    const socket = new WebSocket(`ws://${endpoint.address}:${service.dataPort}/ws`, {
      headers: { Host: host, 'X-Pomerium-Jwt-Assertion': assertion },
    })
    const failed: string[] = []
    socket.on('error', ({ message }) => failed.push(message))
    socket.once('open', () => {
      const timer = setInterval(() => {
        if (isOver) socket.close()
        else socket.send('from the client')
      }, PAUSES.usual)
      socket.once('close', () => clearInterval(timer))
    })
    const [code] = (await once(socket, 'close')) as [number]
    if (failed.length > 0) lose(`WebSocket ${failed[0]}`)
    else if (!isOver) closeCodes.set(code, (closeCodes.get(code) ?? 0) + 1)
  }

  const again = async (work: (view: View) => Promise<void>): Promise<void> => {
    const view = service.view()
    while (!isOver) await work(view)
  }
  const workers = [
    ...Array.from({ length: options.connections }, () => again(useConnection)),
    ...Array.from({ length: options.webSockets }, () => again(holdWebSocket)),
  ]
  return {
    async stop(): Promise<Totals> {
      isOver = true
      await Promise.all(workers)
      return { sent, right, byEnding, opened, lost, closeCodes }
    },
  }
}

const sinceEnd = ({ endedAt = 0 }: Endpoint): number =>
  Math.round((performance.now() - endedAt) / 100) * 100

/** Bodies with a length and in chunks, by turns of chance. */
function bytesOf(assertion: string, body: string | undefined): string {
  if (body === undefined) return requestBytes(assertion)
  const isChunked = Math.random() < 0.5
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
  return requestBytes(assertion, {
    line: 'POST /t HTTP/1.1',
    lines: [isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`],
    body: isChunked ? `${chunk}0\r\n\r\n` : body,
  })
}
