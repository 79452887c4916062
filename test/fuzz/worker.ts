/** One process of a campaign: runs its part of the cases and reports to the process that started it. */
import { FUZZERS } from './all.ts'
import { describe, drive, type Finding, MAX_FINDINGS } from './drive.ts'

export interface Task {
  readonly fuzzer: string
  readonly seed: number
  readonly first: number
  readonly step: number
  readonly seconds: number
  /** Cases at most; absent: as many as there is time for. */
  readonly limit?: number
}

export type Message =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | {
      readonly kind: 'done'
      readonly cases: number
      readonly wrong: number
      readonly tally: readonly (readonly [string, number])[]
      /** Bytes of memory after the first second and at the end. */
      readonly memory: readonly [number, number]
    }

const send = (message: Message) => void process.send?.(message)

async function work({ fuzzer: name, seed, first, step, seconds, limit }: Task): Promise<void> {
  const planned = FUZZERS.find(({ fuzzer }) => fuzzer.name === name)
  if (planned === undefined) throw new Error(`no fuzzer ${name}`)
  let uncaught = 0
  const fault = (error: unknown) => {
    uncaught++
    if (uncaught > MAX_FINDINGS) return
    const what = `nobody caught ${describe(error)}`
    send({ kind: 'finding', finding: { fuzzer: name, seed, index: -1, what } })
  }
  process.on('uncaughtException', fault).on('unhandledRejection', fault)
  // Millions of refusals: their stack traces cost more than their checks. A single case shows them.
  if (limit === undefined) Error.stackTraceLimit = 2
  let early = process.memoryUsage.rss()
  setTimeout(() => {
    early = process.memoryUsage.rss()
  }, 1_000).unref()
  const { cases, wrong, tally } = await drive(planned.fuzzer, {
    seed,
    first,
    step,
    ...(limit === undefined ? {} : { limit }),
    until: performance.now() + seconds * 1000,
    onFinding: (finding) => send({ kind: 'finding', finding }),
  })
  const memory = [early, process.memoryUsage.rss()] as const
  send({ kind: 'done', cases, wrong: wrong + uncaught, tally: [...tally], memory })
  process.disconnect?.()
}

await work(JSON.parse(process.argv[2] ?? '{}'))
