import type { Claims } from '../assertion/claims.ts'
import type { Config, Milliseconds } from '../config/config.ts'
import { RejectedError } from '../errors.ts'

/** Lets the same `jti` pass once per process, until its assertion has expired. */
export interface ReplayGuard {
  /**
   * Remembers the assertion, or refuses it.
   *
   * @throws RejectedError ERR_ASSERTION_REPLAYED; ERR_ASSERTION_CLAIM when there is no usable `jti`; ERR_OVERLOADED when
   *   no more can be remembered, since to forget one would be to let it pass again.
   */
  admit(claims: Claims): void
  /** How many are remembered. */
  size(): number
}

export interface ReplayGuardOptions {
  readonly clockSkew: Config['clockSkew']
  /** Wall clock, as for the claims. */
  readonly now: () => Milliseconds
  /** How many may be remembered at once. */
  readonly capacity?: number
}

/** About 50 MB of memory; 1 380 requests a second, each remembered for Pomerium's 5 minutes and the clock skew. */
const CAPACITY = 500_000

/** Pomerium's are UUIDs of 36 characters. */
const MAX_JTI_LENGTH = 128

/** All that expire within the same span are forgotten together. */
const SPAN: Milliseconds = 10_000

export function createReplayGuard(options: ReplayGuardOptions): ReplayGuard {
  const { clockSkew, now, capacity = CAPACITY } = options
  /** By the span in which the assertion expires. */
  const spans = new Map<number, Set<string>>()
  let size = 0
  let swept = 0

  const forgetExpired = () => {
    const current = Math.floor(now() / SPAN)
    if (current === swept) return
    swept = current
    for (const [span, seen] of spans) {
      if (span >= current) continue
      spans.delete(span)
      size -= seen.size
    }
  }
  const spanOf = (exp: number) => {
    const span = Math.floor((exp * 1000 + clockSkew) / SPAN)
    const seen = spans.get(span) ?? new Set()
    spans.set(span, seen)
    return seen
  }

  return {
    admit({ jti, exp }) {
      if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH)
        throw new RejectedError('ERR_ASSERTION_CLAIM', { reason: 'jti is absent or unusable' })
      forgetExpired()
      const seen = spanOf(Number(exp))
      if (seen.has(jti)) throw new RejectedError('ERR_ASSERTION_REPLAYED')
      if (size >= capacity) throw new RejectedError('ERR_OVERLOADED', { reason: 'replay guard' })
      seen.add(jti)
      size++
    },
    size: () => size,
  }
}
