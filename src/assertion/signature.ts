import { RejectedError } from '../errors.ts'
import type { KeySet, VerificationKey } from '../key-set/types.ts'
import type { CompactJws } from './compact.ts'

/** What a good signature vouches for. */
export interface Signed {
  readonly payload: Uint8Array
  readonly alg: string
  readonly kid: string | undefined
}

export interface SignatureDeps {
  readonly keySet: Pick<KeySet, 'find' | 'refreshForUnknownKey'>
  readonly algorithms: readonly string[]
}

/** How many keys are tried for an assertion that names none: each costs one signature check. */
export const MAX_KEYS_TRIED = 8

/**
 * Resolves to what the signature covers, or throws RejectedError. In this order: the algorithm is allowed,
 * nothing critical is asked for, the key is known, the signature is that key's.
 *
 * The algorithm is decided from the settings before any key is looked up (RFC 8725 section 3.1). Key material
 * and key locations inside the assertion (`jwk`, `jku`, `x5c`, `x5u`) are never looked at, nor is `typ`:
 * Pomerium before 0.14 sends none, and issuer and audience say whom an assertion is for.
 */
export async function verifySignature(jws: CompactJws, deps: SignatureDeps): Promise<Signed> {
  const alg = allowedAlgorithm(jws, deps.algorithms)
  refuseExtensions(jws)
  const kid = namedKey(jws)
  const found = findKeys(deps.keySet, alg, kid)
  // Nearly always known: waiting for what is there costs a turn of the queue.
  const keys = found instanceof Promise ? await found : found
  for (const { check } of keys.slice(0, MAX_KEYS_TRIED)) {
    let isGood = false
    try {
      const outcome: unknown = check(jws.signed, jws.signature)
      isGood = (outcome instanceof Promise ? await outcome : outcome) === true
    } catch {
      // Whatever went wrong, this key has not vouched for the assertion.
    }
    if (isGood) return { payload: jws.payload, alg, kid }
  }
  throw new RejectedError('ERR_ASSERTION_SIGNATURE')
}

/** The algorithm of the header, or `ERR_ASSERTION_ALGORITHM` when it is not one of `algorithms`. */
export function allowedAlgorithm({ header }: CompactJws, algorithms: readonly string[]): string {
  const alg = header['alg']
  if (typeof alg === 'string' && algorithms.includes(alg)) return alg
  throw new RejectedError('ERR_ASSERTION_ALGORITHM')
}

/** Throws `ERR_ASSERTION_CRITICAL` for a header that asks for more than RFC 7515 itself. */
export function refuseExtensions({ header }: CompactJws): void {
  for (const name of ['crit', 'b64', 'zip']) {
    if (Object.hasOwn(header, name)) {
      throw new RejectedError('ERR_ASSERTION_CRITICAL', { reason: name })
    }
  }
}

/** The `kid`; `undefined` when there is none, `ERR_ASSERTION_KEY_UNKNOWN` when it is no text. */
export function namedKey({ header }: CompactJws): string | undefined {
  if (!Object.hasOwn(header, 'kid')) return undefined
  const kid = header['kid']
  if (typeof kid === 'string') return kid
  throw new RejectedError('ERR_ASSERTION_KEY_UNKNOWN', { reason: 'kid is not a string' })
}

/**
 * At least one key, at once or after another look at the source; otherwise throws or rejects with
 * `ERR_ASSERTION_KEY_UNKNOWN`, or `ERR_KEY_SET_UNAVAILABLE` without usable keys.
 */
export function findKeys(
  keySet: SignatureDeps['keySet'],
  alg: string,
  kid: string | undefined,
): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
  const known = available(keySet.find(alg, kid))
  return known.length > 0 ? known : lookAgain(keySet, alg, kid)
}

async function lookAgain(
  keySet: SignatureDeps['keySet'],
  alg: string,
  kid: string | undefined,
): Promise<readonly VerificationKey[]> {
  await keySet.refreshForUnknownKey(kid)
  const refreshed = available(keySet.find(alg, kid))
  if (refreshed.length > 0) return refreshed
  throw new RejectedError('ERR_ASSERTION_KEY_UNKNOWN')
}

function available(keys: readonly VerificationKey[] | undefined): readonly VerificationKey[] {
  if (keys === undefined) throw new RejectedError('ERR_KEY_SET_UNAVAILABLE')
  return keys
}
