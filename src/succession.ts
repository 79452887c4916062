import type { Milliseconds } from './config/config.ts'
import type { OwnedGeneration } from './generation.ts'

/** Which generation requests begin with. */
export interface Succession {
  current(): OwnedGeneration
  /** Whether the next one waits for its key set. */
  isWaiting(): boolean
  /**
   * Puts `next` in the place of the current one, as soon as its keys are loaded: until then requests go on as before.
   * Where there are no usable keys now, nothing is waited for. One that still waits is given up.
   */
  take(next: OwnedGeneration, inUse: () => void): void
  close(): void
}

const LOOK_PERIOD: Milliseconds = 50

/** Begins with `first`, whether its keys are loaded or not. */
export function createSuccession(
  first: OwnedGeneration,
  lookPeriod: Milliseconds = LOOK_PERIOD,
): Succession {
  let current = first
  let waiting: { readonly next: OwnedGeneration; readonly timer: NodeJS.Timeout } | undefined

  const stopWaiting = (): OwnedGeneration | undefined => {
    const next = waiting?.next
    clearInterval(waiting?.timer)
    waiting = undefined
    return next
  }
  const isUsable = ({ keySet }: OwnedGeneration) => keySet.status().usable
  const follow = (next: OwnedGeneration, inUse: () => void) => {
    stopWaiting()
    const old = current
    current = next
    old.retire(next)
    inUse()
  }
  return {
    current: () => current,
    isWaiting: () => waiting !== undefined,
    take(next, inUse) {
      stopWaiting()?.retire(current)
      if (next.keySet !== current.keySet) next.keySet.start()
      if (next.keySet === current.keySet || isUsable(next) || !isUsable(current))
        return follow(next, inUse)
      const look = () => {
        if (isUsable(next)) follow(next, inUse)
      }
      waiting = { next, timer: setInterval(look, lookPeriod) }
      waiting.timer.unref()
    },
    close() {
      stopWaiting()?.retire(current)
      current.retire(undefined)
    },
  }
}
