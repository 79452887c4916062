/** One change to the program that takes a check away, or turns it round. Some test has to notice. */
export interface Mutant {
  /** From the root of the project on. */
  readonly file: string
  /** What the program does wrong then. */
  readonly harm: string
  /** Occurs exactly once in the file. */
  readonly source: string
  readonly replacement: string
  /** Each of them must go red. From the root of the project on. */
  readonly tests: readonly string[]
  /** Why the changed program does the same; `undefined` for all but a few. No test may go red then. */
  readonly equivalent: string | undefined
}

interface Exception {
  /** In place of the tests of the file. */
  readonly tests?: readonly string[]
  readonly equivalent?: string
}

export type Row = readonly [
  harm: string,
  source: string,
  replacement: string,
  exception?: Exception,
]

/** The mutants of one file under `src`; tests are named from `test` on, without `.test.ts`. */
export function mutantsOf(
  file: string,
  tests: readonly string[],
  rows: readonly Row[],
): readonly Mutant[] {
  return rows.map(([harm, source, replacement, exception = {}]) => ({
    file: `src/${file}`,
    harm,
    source,
    replacement,
    tests: (exception.tests ?? tests).map((name) => `test/${name}.test.ts`),
    equivalent: exception.equivalent,
  }))
}
