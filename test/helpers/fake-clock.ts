import { setImmediate } from 'node:timers/promises'
import type { Time } from '../../src/key-set/refresher.ts'

/** A clock that stands still until it is told to go on, with the timers that hang on it. */
export interface FakeClock extends Time {
  /** Goes on by `milliseconds`; each timer that falls due runs at its own instant, in order. */
  advance(milliseconds: number): Promise<void>
  /** The delays until the waiting timers, soonest first. */
  pending(): readonly number[]
}

/** `random` is what every draw gives. */
export function createFakeClock(random = 0): FakeClock {
  let instant = 1_000_000
  let timers: readonly { readonly due: number; readonly callback: () => void }[] = []

  const next = (until: number) =>
    timers.filter(({ due }) => due <= until).toSorted((a, b) => a.due - b.due)[0]

  return {
    now: () => instant,
    random: () => random,
    setTimer(callback, delay) {
      const timer = { due: instant + delay, callback }
      timers = [...timers, timer]
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    async advance(milliseconds) {
      const until = instant + milliseconds
      await settle()
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        timers = timers.filter((other) => other !== timer)
        instant = timer.due
        timer.callback()
        await settle()
      }
      instant = until
    },
    pending: () => timers.map(({ due }) => due - instant).toSorted((a, b) => a - b),
  }
}

/** Lets every promise that can go on go on. */
export async function settle(): Promise<void> {
  await setImmediate()
}
