import type { Decide } from './decision.ts'
import { KnownUserError } from './decision.ts'
import { type Code, RejectedError } from './errors.ts'

/** All other refusals stay: HTTP without one reading, limits of this process, the end of it. */
const isAboutIdentity = (code: Code): boolean =>
  code.startsWith('ERR_ASSERTION_') ||
  code === 'ERR_POLICY_DENIED' ||
  code === 'ERR_KEY_SET_UNAVAILABLE'

/**
 * `report_only`: makes of each refusal about identity a decision to forward without any. Never a header, and never the
 * assertion, comes from a request that was not accepted.
 */
export function createReportOnly(decide: Decide): Decide {
  return async (head) => {
    try {
      return await decide(head)
    } catch (error) {
      if (!(error instanceof RejectedError) || !isAboutIdentity(error.code)) throw error
      const verified = error instanceof KnownUserError ? error.verified : undefined
      return { lines: [], verified, dropped: 0, wouldRefuse: error }
    }
  }
}
