import { readFileSync } from 'node:fs'
import type { Test } from 'tap'

/** One case of a corpus file; what else it has depends on the file. */
export interface Case {
  readonly id: string
  readonly class: string
  readonly outcome: string
  readonly [member: string]: unknown
}

/** The parsed file, or `undefined` where the corpus is not at hand. */
export function readCorpus<T = { readonly cases: readonly Case[] }>(file: string): T | undefined {
  const url = new URL(`../../../shared/corpus/${file}`, import.meta.url)
  try {
    return JSON.parse(readFileSync(url, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export interface Tally {
  ran: number
  notRun: number
  readonly deviations: string[]
}

/**
 * Runs `run` with the corpus file and reports one line, `<file>: N ran, N deviations, N not run`. Fails on a
 * deviation and when nothing ran; skips with one line where the corpus is absent.
 */
export async function runCorpus<T>(
  t: Test,
  file: string,
  run: (corpus: T, tally: Tally) => Promise<void>,
): Promise<void> {
  const corpus = readCorpus<T>(file)
  if (corpus === undefined) {
    t.pass(`${file}: the corpus is not at hand`, { skip: 'no ../shared/corpus' })
    return
  }
  const tally: Tally = { ran: 0, notRun: 0, deviations: [] }
  await run(corpus, tally)
  const { ran, notRun, deviations } = tally
  t.comment(`${file}: ${ran} ran, ${deviations.length} deviations, ${notRun} not run`)
  t.ok(ran > 0, `${file}: cases ran`)
  t.same(deviations, [], `${file}: no deviations`)
}
