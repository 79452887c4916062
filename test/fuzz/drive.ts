import { setImmediate as turn } from 'node:timers/promises'
import { count, type Fuzzer, type Stage, type Tally } from './fuzzer.ts'
import { createRandom } from './random.ts'

export interface DriveOptions {
  readonly seed: number
  /** The first case, and the distance to the next: processes that share a campaign take turns. */
  readonly first?: number
  readonly step?: number
  /** Cases at most. */
  readonly limit?: number
  /** On the clock of `performance.now()`. */
  readonly until?: number
  readonly onFinding?: (finding: Finding) => void
}

export interface Finding {
  readonly fuzzer: string
  readonly seed: number
  /** Number of the case; -1 where none can be named. */
  readonly index: number
  readonly what: string
}

export interface Outcome {
  readonly cases: number
  /** The first {@link MAX_FINDINGS}. */
  readonly findings: readonly Finding[]
  /** All there were. */
  readonly wrong: number
  readonly tally: Tally
}

export const MAX_FINDINGS = 20

/** Runs cases of one fuzzer until a limit is met. */
export async function drive(fuzzer: Fuzzer, options: DriveOptions): Promise<Outcome> {
  const stage = await fuzzer.open()
  try {
    return await driveStage(fuzzer, stage, options)
  } finally {
    await stage.close()
  }
}

async function driveStage(fuzzer: Fuzzer, stage: Stage, options: DriveOptions): Promise<Outcome> {
  const { seed, first = 0, step = 1, limit = Number.POSITIVE_INFINITY } = options
  const { until = Number.POSITIVE_INFINITY } = options
  const findings: Finding[] = []
  let cases = 0
  let wrong = 0
  let index = first

  const note = (what: string, at: number) => {
    wrong++
    if (wrong > MAX_FINDINGS) return
    const finding = { fuzzer: fuzzer.name, seed, index: at, what }
    findings.push(finding)
    options.onFinding?.(finding)
  }
  const lane = async (end: number) => {
    while (cases < end) {
      cases++
      const own = index
      index += step
      const what = await stage
        .run(createRandom(seed, fuzzer.name, own), own)
        .catch((error: unknown) => `threw ${describe(error)}`)
      if (what !== undefined) note(what, own)
    }
  }
  while (cases < limit && performance.now() < until) {
    const end = Math.min(limit, cases + fuzzer.round)
    await Promise.all(Array.from({ length: fuzzer.lanes }, () => lane(end)))
    for (const late of await stage.settle()) note(late.what, late.index)
    // Pure cases never let timers and messages of the process run.
    await turn()
  }
  return { cases, findings, wrong, tally: stage.tally }
}

export const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

/** Adds the outcome of one process to that of others. */
export function addTally(total: Tally, part: Iterable<readonly [string, number]>): void {
  for (const [outcome, times] of part) count(total, outcome, times)
}
