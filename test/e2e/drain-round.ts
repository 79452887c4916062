import { once } from 'node:events'
import { WebSocket } from 'ws'
import { requestBytes } from '../helpers/claimgate.ts'
import type { Issuer } from '../helpers/issuer.ts'
import { type KeepAliveClient, keepAliveClient, LostError } from '../helpers/keep-alive-client.ts'
import { type Owner, type Program, pause, startProgram, until } from '../helpers/program.ts'
import type { App } from './app.ts'

export interface DrainRound {
  readonly issuer: Issuer
  readonly app: App
  /** `drain_delay`. */
  readonly delay: string
  readonly connections: number
  readonly webSockets: number
  /** How long the load runs before the signal, milliseconds. */
  readonly lead: number
  /** Whether clients open new connections while `/readyz` says 200 after the signal, or none at all. */
  readonly reconnect: 'while ready' | 'never'
}

export interface DrainResult {
  readonly answered: number
  /** What became of requests that were not answered by the app: `reset`, `closed`, `truncated`, `late`, a status. */
  readonly lost: readonly string[]
  readonly closeCodes: readonly number[]
  readonly exitCode: number | NodeJS.Signals | null
  /** From the signal to the exit, milliseconds. */
  readonly duration: number
}

/** Starts claimgate, loads it, sends SIGTERM, and tells what the clients saw. */
export async function drainRound(owner: Owner, round: DrainRound): Promise<DrainResult> {
  const { issuer, app, delay, reconnect } = round
  const program = await startProgram(owner, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
      CLAIMGATE_DRAIN_DELAY: delay,
      CLAIMGATE_DRAIN_TIMEOUT: '10s',
    },
  })
  await program.untilReady()
  const state = { mayConnect: true, connecting: 0, isOver: false }
  const lost: string[] = []
  let answered = 0
  const webSockets = await Promise.all(
    Array.from({ length: round.webSockets }, () => openWebSocket(program, issuer)),
  )
  const workers = Array.from({ length: round.connections }, async () => {
    for await (const outcome of requests(program, issuer, state)) {
      if (outcome === 'ok') answered += 1
      else lost.push(outcome)
    }
  })
  await pause(round.lead)
  await until(() => answered > round.connections * 3, 'under load', 30_000)
  if (reconnect === 'never') {
    state.mayConnect = false
    await until(() => state.connecting === 0, 'connected')
  }
  const signalled = performance.now()
  program.child.kill('SIGTERM')
  if (reconnect === 'while ready') void followReadiness(program, state)
  const { code, at } = await program.exit
  state.isOver = true
  await Promise.all(workers)
  const closeCodes = await Promise.all(webSockets.map(({ closed }) => closed))
  return { answered, lost, closeCodes, exitCode: code, duration: Math.round(at - signalled) }
}

/** The longest time in which clients notice that claimgate is not ready, milliseconds; shorter than `drain_delay`. */
const NOTICE = 200

interface State {
  mayConnect: boolean
  connecting: number
  isOver: boolean
}

async function followReadiness(program: Program, state: State): Promise<void> {
  while (state.mayConnect) {
    const isReady = await program.isReady()
    // Routers learn it a little later, and not all at once.
    if (!isReady) await pause(Math.random() * NOTICE)
    state.mayConnect = isReady
    await pause(5)
  }
}

/** Request after request on one connection after the other: `ok`, or how the request was lost. */
async function* requests(program: Program, issuer: Issuer, state: State) {
  let client: KeepAliveClient | undefined
  while (!state.isOver) {
    if (client?.isOpen() !== true) {
      if (!state.mayConnect) return
      state.connecting += 1
      client = await keepAliveClient(program).catch(() => undefined)
      state.connecting -= 1
      if (client === undefined) {
        yield 'refused'
        return
      }
    }
    yield await ask(client, issuer)
    // Think times of all lengths, so that requests meet every moment of the drain.
    if (Math.random() < 0.5) await pause(Math.random() * 30)
  }
}

async function ask(client: KeepAliveClient, issuer: Issuer): Promise<string> {
  const email = `u${Math.random()}@example.com`
  try {
    const { status, body } = await client.ask(requestBytes(issuer.assertion({ email })))
    if (status !== 200) return `status ${status}`
    return JSON.parse(body).email === email ? 'ok' : 'another answer'
  } catch (error) {
    return error instanceof LostError ? error.loss : 'fault'
  }
}

async function openWebSocket(program: Program, issuer: Issuer) {
  const socket = new WebSocket(`ws://127.0.0.1:${program.port}/ws`, {
    headers: { 'X-Pomerium-Jwt-Assertion': issuer.assertion() },
  })
  const closed = once(socket, 'close').then(([code]) => code as number)
  socket.on('error', () => undefined)
  await once(socket, 'open')
  const timer = setInterval(() => socket.send('from the client'), 5)
  void closed.then(() => clearInterval(timer))
  return { closed }
}
