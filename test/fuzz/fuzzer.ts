import type { Random } from './random.ts'

/** How often each outcome came; the names are fixed words, so their number is bounded. */
export type Tally = Map<string, number>

export const count = (tally: Tally, outcome: string, by = 1): void => {
  tally.set(outcome, (tally.get(outcome) ?? 0) + by)
}

/** What one fuzzer needs while it runs: keys, listeners, a program. */
export interface Stage {
  readonly tally: Tally
  /** Runs one case. Resolves to what broke a rule, with all that is needed to see it again. */
  run(random: Random, index: number): Promise<string | undefined>
  /** Called now and then while no case is under way, and at the end: what only then shows of the cases since. */
  settle(): Promise<readonly Late[]>
  close(): Promise<void>
}

/** What broke a rule; `index` is that of the case, or -1 where none can be named. */
export interface Late {
  readonly index: number
  readonly what: string
}

export interface Fuzzer {
  readonly name: string
  /** What its cases are, in the plural. */
  readonly unit: string
  /** Cases under way at the same time. */
  readonly lanes: number
  /** Cases between two calls of `settle`. */
  readonly round: number
  open(): Promise<Stage>
}

/** A stage of pure functions: nothing to settle or to close. */
export function pureStage(
  run: (random: Random, tally: Tally) => string | undefined | Promise<string | undefined>,
): Stage {
  const tally: Tally = new Map()
  return {
    tally,
    run: async (random) => run(random, tally),
    settle: async () => [],
    close: async () => undefined,
  }
}
