import type { Test } from 'tap'
import { type App, startApp } from '../../e2e/app.ts'
import { requestBytes } from '../../helpers/claimgate.ts'
import { type Case, runCorpus } from '../../helpers/corpus.ts'
import { type Issuer, startIssuer } from '../../helpers/issuer.ts'
import { keepAliveClient, type Reply } from '../../helpers/keep-alive-client.ts'
import { type Program, type ProgramOptions, startProgram } from '../../helpers/program.ts'

export interface Trial {
  readonly t: Test
  /** Notes a deviation unless it holds. */
  readonly ok: (holds: boolean, what: string) => void
  readonly is: (actual: unknown, wanted: unknown, what: string) => void
  readonly issuer: Issuer
  readonly app: App
  /** What every program of the case starts from. */
  readonly env: Readonly<Record<string, string>>
  /** Starts the built program and waits until it is ready. */
  start(env?: ProgramOptions['env'], options?: Partial<ProgramOptions>): Promise<Program>
  /** A good request on a connection of its own. */
  ask(program: Program, request?: Parameters<typeof requestBytes>[1]): Promise<Reply>
}

export interface Interpreter {
  /** Of each answer of the app, milliseconds. */
  readonly appDelay?: number
  readonly run: (trial: Trial) => Promise<void>
}

export const only = (run: Interpreter['run']): Interpreter => ({ run })

/** The middle one of many measurements. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** The one that all but one in a hundred do not exceed. */
export const p99 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN

/** Milliseconds that each of `count` good requests took, one after the other on one connection. */
export async function goodTimes(
  { issuer }: Trial,
  program: Program,
  count: number,
): Promise<number[]> {
  const client = await keepAliveClient(program)
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    const { status } = await client.ask(requestBytes(issuer.assertion()))
    times.push(status === 200 ? performance.now() - started : Number.POSITIVE_INFINITY)
  }
  client.end()
  return times
}

/** Less than the 100 ms of the corpus; on a machine that is busy with other things, hardly more than without the attack. */
export const isPrompt = (late: number, usual: number): boolean => late < Math.max(100, 3 * usual)

export async function runInterpreters(
  t: Test,
  file: string,
  interpreters: Readonly<Record<string, Interpreter>>,
  excuses: Readonly<Record<string, string>>,
): Promise<void> {
  await runCorpus<{ readonly cases: readonly Case[] }>(t, file, async ({ cases }, tally) => {
    for (const { id } of cases) {
      const interpreter = interpreters[id]
      if (interpreter === undefined) {
        tally.notRun += 1
        t.comment(`not run: ${id}: ${excuses[id] ?? 'no interpreter'}`)
        continue
      }
      tally.ran += 1
      await t.test(id, async (t) => {
        const deviations = await runTrial(t, interpreter)
        t.same(deviations, [])
        tally.deviations.push(...deviations.map((deviation) => `${id}: ${deviation}`))
      })
    }
  })
}

async function runTrial(t: Test, { appDelay = 0, run }: Interpreter): Promise<string[]> {
  const deviations: string[] = []
  const ok: Trial['ok'] = (holds, what) => {
    if (!holds) deviations.push(what)
  }
  const issuer = await startIssuer(t)
  const app = await startApp(t, { delay: appDelay })
  const base = {
    ...issuer.env,
    CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
    CLAIMGATE_DRAIN_DELAY: '0s',
  }
  await run({
    t,
    ok,
    is: (actual, wanted, what) => ok(actual === wanted, `${what} is ${actual}, not ${wanted}`),
    issuer,
    app,
    env: base,
    async start(env = {}, options = {}) {
      const program = await startProgram(t, { ...options, env: { ...base, ...env } })
      await program.untilReady()
      return program
    },
    async ask(program, request) {
      const client = await keepAliveClient(program)
      const reply = await client.ask(requestBytes(issuer.assertion(), request))
      client.end()
      return reply
    },
  })
  return deviations
}
