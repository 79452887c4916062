import type { Milliseconds } from '../config/config.ts'
import type { Holder } from './holder.ts'
import type { Flight, TakeOff } from './refresher.ts'

/** The longest wait between forced loads that bring nothing: three a minute, however many names are made up. */
const LONGEST_COOLDOWN: Milliseconds = 30_000

export interface ForcedRefreshDeps {
  readonly cooldown: Milliseconds
  readonly now: () => Milliseconds
  readonly holder: Holder
  readonly closed: () => boolean
  readonly flight: () => Flight | undefined
  readonly fly: TakeOff
}

/**
 * What a request does when its assertion names a key that is not held. The instant of the last forced load and how long
 * it counts is all that is remembered, so any number of made-up names costs no memory: within the cooldown of that load,
 * which counts whether it worked or not, everybody gets the keys as they are. Each load in a row that did not bring the
 * key doubles the next cooldown, up to 30 s: keys seldom change, and made-up names may come all day.
 *
 * A scheduled load under way may have been answered just before the key was added. It is waited for, and if the key
 * did not come with it a forced one follows: a rotation refuses nobody. So a caller waits for two loads at most.
 * While there are no usable keys nobody waits: the background retries are on it.
 */
export function createForcedRefresh(
  deps: ForcedRefreshDeps,
): (kid: string | undefined) => Promise<void> {
  const { cooldown, now, holder, closed, flight, fly } = deps
  const hopeless = (): boolean => closed() || holder.usableFor() === 0
  let forcedAt: Milliseconds | undefined
  let wait = cooldown
  let nextWait = cooldown

  const settledBySchedule = async (kid: string | undefined): Promise<boolean> => {
    const current = flight()
    if (current === undefined || current.forced) return false
    const { kind } = await current.done
    return kind === 'failed' || holder.has(kid)
  }
  const mayForce = (): boolean => forcedAt === undefined || now() - forcedAt >= wait
  const force = async (kid: string | undefined): Promise<void> => {
    forcedAt = now()
    await fly('forced').done
    const isFound = holder.has(kid)
    wait = isFound ? cooldown : nextWait
    nextWait = isFound ? cooldown : Math.min(nextWait * 2, Math.max(cooldown, LONGEST_COOLDOWN))
  }

  return async (kid) => {
    if (hopeless() || (await settledBySchedule(kid)) || hopeless()) return
    const shared = flight()
    if (shared !== undefined) {
      await shared.done
    } else if (mayForce()) {
      await force(kid)
    }
  }
}
