import type { Milliseconds } from '../config/config.ts'

/** Tells when this process is so late that new work would only wait. */
export interface LoadMonitor {
  /** To be called every {@link LOAD_PERIOD}, by a timer that is late when everything else is. */
  tick(): void
  isOverloaded(): boolean
}

export const LOAD_PERIOD: Milliseconds = 250

/** A timer this late twice in a row is no hiccup of the garbage collector. */
const LATE: Milliseconds = 500

export function createLoadMonitor(now: () => Milliseconds): LoadMonitor {
  let last = now()
  let lateBefore = false
  let overloaded = false
  return {
    tick() {
      const time = now()
      const isLate = time - last - LOAD_PERIOD > LATE
      last = time
      overloaded = isLate && lateBefore
      lateBefore = isLate
    },
    isOverloaded: () => overloaded,
  }
}
