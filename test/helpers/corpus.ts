import { existsSync, readFileSync } from 'node:fs'
import type { Test } from 'tap'

/** One case of a corpus file; what else it has depends on the file. */
export interface Case {
  readonly id: string
  readonly class: string
  readonly outcome: string
  readonly [member: string]: unknown
}

/** The files that are part of the project. */
export const OWN = new URL('../data/corpus/', import.meta.url)

/** The vectors of Wycheproof, which are not copied. */
const VECTORS = new URL('../../../shared/corpus/', import.meta.url)

interface Cases {
  readonly cases: readonly Case[]
}

const read = <T>(file: string, folder: URL): T =>
  JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as T

/** @throws where the project has no such file. */
export const readCorpus = <T = Cases>(file: string): T => read<T>(file, OWN)

export interface Tally {
  ran: number
  notRun: number
  readonly deviations: string[]
}

type Run<T> = (corpus: T, tally: Tally) => Promise<void>

/**
 * Runs `run` with a file of the project and reports one line, `<file>: N ran, N deviations, N not run`. Fails on a
 * deviation and when nothing ran.
 */
export const runCorpus = <T>(t: Test, file: string, run: Run<T>): Promise<void> =>
  score(t, file, readCorpus<T>(file), run)

/** As `runCorpus`, with vectors that may not be copied: skips with one line where they are not beside the project. */
export async function runVectors<T>(t: Test, file: string, run: Run<T>): Promise<void> {
  if (existsSync(new URL(file, VECTORS))) return score(t, file, read<T>(file, VECTORS), run)
  t.pass(`${file}: not at hand`, { skip: 'no ../shared/corpus' })
}

async function score<T>(t: Test, file: string, corpus: T, run: Run<T>): Promise<void> {
  const tally: Tally = { ran: 0, notRun: 0, deviations: [] }
  await run(corpus, tally)
  const { ran, notRun, deviations } = tally
  t.comment(`${file}: ${ran} ran, ${deviations.length} deviations, ${notRun} not run`)
  t.ok(ran > 0, `${file}: cases ran`)
  t.same(deviations, [], `${file}: no deviations`)
}
