import type { Milliseconds } from '../config/config.ts'

/** The rules of one source, from its settings. */
export interface RefreshRules {
  /** Period when the answer names none. */
  readonly refresh: Milliseconds
  /** Least time between loads forced by an unknown `kid`. */
  readonly cooldown: Milliseconds
  /** Longest wait before another try after a failure: while there are no usable keys, and while there are. */
  readonly retryLimit: { readonly unusable: Milliseconds; readonly usable: Milliseconds }
}

const SECOND = 1_000
const HOUR = 3600 * SECOND
const MIN_MAX_AGE = 10 * SECOND
/** A longer max-age would keep a revoked key for just as long. */
const MAX_MAX_AGE = HOUR
const LONGEST_REFRESH = 24 * HOUR
const FIRST_RETRY = SECOND
/** Doubling stops here; every limit is reached long before. */
const MAX_DOUBLINGS = 16

/**
 * Time until the next load after a successful one: the answer's max-age within 10 s and 1 h, else `refresh` within 1 s
 * and 24 h. Up to a tenth is taken off at random, so that replicas do not ask at the same instant.
 */
export function refreshDelay(
  { refresh }: RefreshRules,
  maxAge: Milliseconds | undefined,
  random: number,
): Milliseconds {
  const period =
    maxAge === undefined
      ? clamp(refresh, SECOND, LONGEST_REFRESH)
      : clamp(maxAge, MIN_MAX_AGE, MAX_MAX_AGE)
  return period * (1 - random / 10)
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}

/** What is known when a load has failed. */
export interface FailedLoad {
  /** Failures in a row, this one included. */
  readonly failures: number
  readonly retryAfter: Milliseconds | undefined
  /** Time until the keys in use lapse; 0 when there are none. */
  readonly usableFor: Milliseconds
}

/**
 * Time until the next try after a failed load: about 1 s, 2 s, 4 s … up to the limit, less up to a quarter at random.
 * `Retry-After` is followed up to the same limit. Keys that lapse sooner bring the try forward, to be judged then.
 */
export function retryDelay(
  { retryLimit }: RefreshRules,
  { failures, retryAfter, usableFor }: FailedLoad,
  random: number,
): Milliseconds {
  const limit = usableFor > 0 ? retryLimit.usable : retryLimit.unusable
  const doubled = FIRST_RETRY * 2 ** Math.min(failures - 1, MAX_DOUBLINGS)
  const spread = Math.min(doubled, limit) * (1 - random / 4)
  const delay = Math.max(spread, Math.min(retryAfter ?? 0, limit))
  return usableFor > 0 ? Math.min(delay, Math.max(usableFor, SECOND)) : delay
}
