import type { Milliseconds } from '../config/config.ts'
import { createHolder } from './holder.ts'
import { createLoad, type FetchOutcome } from './load.ts'
import { createRefresher, type Time } from './refresher.ts'
import { createReporter } from './reporter.ts'
import type { RefreshRules } from './schedule.ts'
import type { FetchKeySet, KeySet, KeySetLog, ParseKeySet } from './types.ts'

export interface KeySetDeps {
  readonly time: Time
  readonly fetch: FetchKeySet
  readonly parse: ParseKeySet
  readonly log: KeySetLog
  /** Called once for each load that ended. */
  readonly onFetch: (outcome: FetchOutcome) => void
}

export interface KeySetRules extends RefreshRules {
  /** How old keys may get while loads fail: 0 drops them at the first failure. */
  readonly maxStale: Milliseconds
}

/**
 * A key set that is loaded in the background, so that no request ever waits for it. Only an assertion that names an
 * unknown key waits, and only while others still verify. The clock, the timers, the chance and the source come from
 * outside: this module does no I/O.
 */
export function createKeySet(rules: KeySetRules, deps: KeySetDeps): KeySet {
  const { time, fetch, parse, log, onFetch } = deps
  const holder = createHolder(time.now, rules.maxStale)
  const reporter = createReporter(log)
  const load = createLoad({ fetch, parse, holder, reporter, onFetch })
  const refresher = createRefresher(rules, { time, holder, load })
  return {
    find: holder.find,
    refreshForUnknownKey: refresher.refreshForUnknownKey,
    status: () => holder.status(refresher.lastFailure()),
    start: refresher.start,
    close: refresher.close,
  }
}
