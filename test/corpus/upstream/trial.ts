import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Config } from '../../../src/config/config.ts'
import { type RunningClaimgate, requestBytes, startClaimgate } from '../../helpers/claimgate.ts'
import { codeOf, type RawClient, rawClient, statusOf } from '../../helpers/raw-client.ts'
import {
  answering,
  OK,
  type RawUpstream,
  rawUpstream,
  type Script,
} from '../../helpers/raw-upstream.ts'
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
  /** Heals what stands in the upstream's place; resolves with the number of requests that reached it. */
  readonly heal: () => Promise<number>
}

export interface Interpreter {
  readonly settings?: Partial<Config>
  /** What the upstream does from the first connection of the case on. */
  readonly script?: Script
  /** Stands in the upstream's place. */
  readonly elsewhere?: (t: Test) => Promise<Elsewhere>
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

async function scripted(t: Test): Promise<ScriptedUpstream> {
  let current = healthy
  const open = new Set<Socket>()
  const upstream = await rawUpstream((socket, received) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    current(socket, received)
  })
  t.teardown(() => upstream.close())
  return {
    ...upstream,
    open,
    follow: (script) => {
      current = script
    },
    count: (line) => upstream.received().join('\r\n').split(`${line} HTTP/1.1\r\n`).length - 1,
  }
}

/** Sockets of this process, the clients' and the upstream's ends included. */
export const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

/** Runs one case; resolves with what deviated. Afterwards a healed upstream is reached and no descriptor is left. */
export async function runTrial(t: Test, interpreter: Interpreter): Promise<string[]> {
  const deviations: string[] = []
  const ok: Trial['ok'] = (holds, what) => {
    if (!holds) deviations.push(what)
  }
  const is: Trial['is'] = (actual, wanted, what) =>
    ok(actual === wanted, `${what} is ${actual}, not ${wanted}`)
  const upstream = await scripted(t)
  const elsewhere = await interpreter.elsewhere?.(t)
  const port = elsewhere?.port ?? upstream.port
  const gate = await startClaimgate(t, port, interpreter.settings)
  const clients: RawClient[] = []
  const stage = createStage(gate, upstream, clients)
  const before = openSockets()
  upstream.follow(interpreter.script ?? healthy)
  const heal = async () => (await elsewhere?.heal()) ?? 0
  await interpreter.run({ t, ok, is, stage, heal })
  for (const client of clients) client.socket.destroy()
  upstream.follow(healthy)
  for (const socket of upstream.open) socket.destroy()
  await heal()
  is(statusOf(await stage.ask()), 200, 'a good request through the healed upstream')
  for (const { socket } of clients) socket.destroy()
  for (const socket of upstream.open) socket.destroy()
  const isBack = await within(5_000, () => openSockets() <= before)
  ok(isBack, `${openSockets() - before} sockets are left open`)
  return deviations
}

function createStage(
  gate: RunningClaimgate,
  upstream: ScriptedUpstream,
  clients: RawClient[],
): Stage {
  const connect = async () => {
    const client = await rawClient(gate.port)
    clients.push(client)
    return client
  }
  const bytes = (request?: RequestShape) => requestBytes(gate.assertion(), request)
  return {
    gate,
    upstream,
    connect,
    bytes,
    async ask(request) {
      const client = await connect()
      const text = bytes(request)
      client.send(text)
      const method = text.slice(0, text.indexOf(' '))
      return client
        .until((received) => isAnswered(received, [method]))
        .catch(() => client.received())
    },
  }
}

/** Nothing of the inside: no address, port, error name or message of a library. */
const INSIDE =
  /127\.0\.0\.1|localhost|ECONN|UND_|ERR_(?!UPSTREAM)|HPE_|undici|llhttp|parser|socket|\.js|\.ts/i

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
