import type { Config, Milliseconds } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import type { KeySet } from '../key-set/types.ts'
import { createClaimChecks, type Subject } from './checks.ts'
import type { Claims } from './claims.ts'
import { parseCompact, rememberHeaders } from './compact.ts'
import { parseObject } from './json.ts'
import { verifySignature } from './signature.ts'

export interface Verified {
  readonly claims: Claims
  readonly alg: string
  readonly kid: string | undefined
  /** The assertion is genuine and names nobody: `sub` is `""`. */
  readonly anonymous: boolean
}

/**
 * Resolves when every rule holds, or throws RejectedError with the code of the first that does not.
 *
 * @param subject `may-be-empty` accepts a `sub` of exactly `""`, and nothing else less.
 */
export type Verify = (assertion: string, subject: Subject) => Promise<Verified>

export interface VerifierDeps {
  readonly keySet: Pick<KeySet, 'find' | 'refreshForUnknownKey'>
  readonly expected: Pick<
    Config,
    'issuers' | 'audiences' | 'algorithms' | 'clockSkew' | 'maxAssertionAge'
  >
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => Milliseconds
}

/**
 * Makes the function that verifies one assertion: form, algorithm, key, signature, then the claims
 * (RFC 7515 section 5.2, RFC 7519 section 7.2). No claim is read before the signature holds. Nothing
 * but the JSON of a few header parts is kept from one assertion to the next: Pomerium signs a new one for every request.
 */
export function createVerifier({ keySet, expected, now }: VerifierDeps): Verify {
  const checks = createClaimChecks(expected)
  const { algorithms } = expected
  const readHeader = rememberHeaders()
  return async (assertion, subject) => {
    const jws = parseCompact(assertion, readHeader)
    const { payload, alg, kid } = await verifySignature(jws, { keySet, algorithms })
    const claims = parseObject(payload)
    if (claims === undefined) {
      throw new RejectedError('ERR_ASSERTION_MALFORMED', { reason: 'claims are not a JSON object' })
    }
    const moment = { now: now(), subject }
    for (const check of checks) {
      const refusal = check.run(claims, moment)
      if (refusal !== undefined) throw new RejectedError(refusal.code, { reason: refusal.reason })
    }
    return { claims, alg, kid, anonymous: claims['sub'] === '' }
  }
}
