import type { Milliseconds } from '../config/config.ts'
import type { Holder } from './holder.ts'
import type { LoadResult } from './load.ts'
import { type RefreshRules, refreshDelay, retryDelay } from './schedule.ts'
import { createForcedRefresh } from './unknown-key.ts'

/** Time and chance, injected so that every rule can be tested without waiting. */
export interface Time {
  /** Monotonic. */
  readonly now: () => Milliseconds
  /** Calls back once after `delay`; the returned function cancels. Must not hold the process. */
  readonly setTimer: (callback: () => void, delay: Milliseconds) => () => void
  /** At least 0, less than 1. */
  readonly random: () => number
}

export interface RefresherDeps {
  readonly time: Time
  readonly holder: Holder
  readonly load: (signal: AbortSignal) => Promise<LoadResult>
}

/** Decides when the key set is loaded. */
export interface Refresher {
  start(): void
  close(): void
  refreshForUnknownKey(kid: string | undefined): Promise<void>
  /** Why the last load failed; `undefined` when it did not, or none has ended. */
  lastFailure(): string | undefined
}

/** A load under way. */
export interface Flight {
  readonly forced: boolean
  /** Resolves when its keys are in use and the next load is planned. */
  readonly done: Promise<LoadResult>
}

export type TakeOff = (why: 'scheduled' | 'forced') => Flight

/** One load at a time, then the next by the clock (schedule.ts); sooner for an unknown key (unknown-key.ts). */
export function createRefresher(rules: RefreshRules, deps: RefresherDeps): Refresher {
  const { time, holder, load } = deps
  const closing = new AbortController()
  const closed = (): boolean => closing.signal.aborted
  let flight: Flight | undefined
  let failures = 0
  let lastFailure: string | undefined
  let cancelTimer = (): void => undefined

  const land = (result: LoadResult): void => {
    flight = undefined
    if (closed()) return
    const failed = result.kind === 'failed'
    failures = failed ? failures + 1 : 0
    lastFailure = failed ? result.summary : undefined
    const usableFor = holder.usableFor()
    const delay = failed
      ? retryDelay(rules, { failures, retryAfter: result.retryAfter, usableFor }, time.random())
      : refreshDelay(rules, result.maxAge, time.random())
    cancelTimer = time.setTimer(() => void fly('scheduled'), delay)
  }
  const fly: TakeOff = (why) => {
    cancelTimer()
    const done = load(closing.signal).then((result) => {
      land(result)
      return result
    })
    flight = { forced: why === 'forced', done }
    return flight
  }

  return {
    start() {
      if (flight === undefined && !closed()) fly('scheduled')
    },
    close() {
      cancelTimer()
      closing.abort()
    },
    refreshForUnknownKey: createForcedRefresh({
      cooldown: rules.cooldown,
      now: time.now,
      holder,
      closed,
      flight: () => flight,
      fly,
    }),
    lastFailure: () => lastFailure,
  }
}
