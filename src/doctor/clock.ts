import type { Milliseconds } from '../config/config.ts'
import { type Finding, findingsAbout } from './finding.ts'

/** More than the rounding of `Date` and a slow answer explain. */
const NOTABLE: Milliseconds = 5_000

export interface Comparison {
  /** The `Date` header of an answer that no cache has kept. */
  readonly date: string | undefined
  /** Wall clock before the request and after the answer. */
  readonly before: Milliseconds
  readonly after: Milliseconds
  readonly clockSkew: Milliseconds
}

/** Compares the clocks of both machines; `Date` has whole seconds, rounded down. */
export function compareClocks({ date, before, after, clockSkew }: Comparison): Finding {
  const tell = findingsAbout('clock')
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs))
    return tell.warning('the key set came without a Date to compare with', 'nothing; check NTP')
  const difference = theirs + 500 - (before + after) / 2
  const seconds = Math.round(Math.abs(difference) / 1000)
  const words = `the key set's clock is ${seconds} s ${difference > 0 ? 'ahead of' : 'behind'} this one`
  const mend = 'NTP on both machines'
  if (Math.abs(difference) > clockSkew)
    return tell.error(`${words}, more than clock_skew (${clockSkew / 1000} s)`, mend)
  if (Math.abs(difference) > NOTABLE) return tell.warning(words, mend)
  return tell.ok(`the key set's clock and this one agree to ${seconds} s`)
}
