import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Config } from '../../../src/config/config.ts'
import type { RunningClaimgate } from '../../helpers/claimgate.ts'
import type { JwksServer } from '../../helpers/jwks-server.ts'
import type { SigningKey } from '../../helpers/keys.ts'
import { codeOf, type RawClient, statusOf } from '../../helpers/raw-client.ts'
import { answering, OK, type RawUpstream, type Script } from '../../helpers/raw-upstream.ts'
import { readAnswers } from '../wire/strict-reading.ts'
import type { Elsewhere } from './elsewhere.ts'

export interface RequestShape {
  readonly line?: string
  readonly lines?: readonly string[]
  readonly body?: string
}

export interface ScriptedUpstream extends RawUpstream {
  /** What connections accepted from now on do. */
  follow(script: Script): void
  /** Connections that are open now. */
  readonly open: ReadonlySet<Socket>
  /** How many heads with this request line came so far. */
  count(line: string): number
}

export interface Stage {
  readonly gate: RunningClaimgate
  readonly upstream: ScriptedUpstream
  /** A client connection; it is ended with the case. */
  connect(): Promise<RawClient>
  /** The bytes of a request with a good assertion. */
  bytes(request?: RequestShape): string
  /** Sends one request on a new connection; resolves with all that came when the answer is whole or the connection ended. */
  ask(request?: RequestShape): Promise<string>
}

export interface Trial {
  readonly t: Test
  /** Notes a deviation unless it holds. */
  readonly ok: (holds: boolean, what: string) => void
  readonly is: (actual: unknown, wanted: unknown, what: string) => void
  readonly stage: Stage
  /** The wall clock of claimgate; a case may set it. */
  readonly clock: { now: number }
  /** The endpoint of the key set, where the case has one. */
  readonly keySet: KeySetEndpoint | undefined
  /** Heals what stands in the upstream's place; resolves with the number of requests that reached it. */
  readonly heal: () => Promise<number>
}

export interface KeySetEndpoint {
  readonly server: JwksServer
  /** Signs the assertions that are good. */
  readonly key: SigningKey
}

export interface Interpreter {
  readonly settings?: Partial<Config>
  /** What the upstream does from the first connection of the case on. */
  readonly script?: Script
  /** Stands in the upstream's place. */
  readonly elsewhere?: (t: Test) => Promise<Elsewhere>
  /** Publishes the key set in the file's place. */
  readonly keySet?: (t: Test) => Promise<KeySetEndpoint>
  /** The case ends claimgate itself: nothing can be asked afterwards. */
  readonly endsClaimgate?: boolean
  readonly run: (trial: Trial) => Promise<void>
}

export const healthy: Script = answering(OK)

/** Answers whatever comes with these bytes; then `after`. */
export const answerEach =
  (answer: string, after: (socket: Socket) => void = () => undefined): Script =>
  (socket) => {
    socket.on('data', () => socket.write(answer, 'latin1', () => after(socket)))
  }

export const end = (socket: Socket): void => void socket.end()

/** Polls; the bound is what the case allows. */
export async function within(limit: number, holds: () => boolean): Promise<boolean> {
  const deadline = performance.now() + limit
  while (!holds()) {
    if (performance.now() > deadline) return false
    await wait(5)
  }
  return true
}

export const isAnswered = (text: string, methods?: readonly string[]): boolean =>
  readAnswers(text, methods).messages.some(({ startLine }) => !startLine.startsWith('HTTP/1.1 1'))

/** Sockets of this process, the clients' and the upstream's ends included. */
export const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

/** Nothing of the inside: no address, port, error name or message of a library. */
const INSIDE =
  /127\.0\.0\.1|localhost|ECONN|UND_|UPSTREAM_(?:CLOSED|SILENT)|ANSWER_|ERR_(?!UPSTREAM)|HPE_|undici|llhttp|parser|socket|\.js|\.ts/i

/** A refusal in the upstream's place: fixed text, nothing of the inside. */
export function isFixedRefusal(
  { is, ok, stage }: Trial,
  answer: string,
  status: 502 | 504 = 502,
): void {
  is(statusOf(answer), status, 'the status')
  is(codeOf(answer), `ERR_UPSTREAM_${status === 502 ? 'UNAVAILABLE' : 'TIMEOUT'}`, 'the code')
  ok(!INSIDE.test(answer), `the answer tells of the inside: ${answer}`)
  ok(!answer.includes(String(stage.upstream.port)), 'the answer tells the port')
}

/** Resolves when the upstream has seen all of its connections end. */
export const upstreamIdle = ({ upstream }: Stage, limit = 1_000): Promise<boolean> =>
  within(limit, () => upstream.open.size === 0)
