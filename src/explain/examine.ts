import { type ClaimCheck, createClaimChecks, type Subject } from '../assertion/checks.ts'
import type { Claims } from '../assertion/claims.ts'
import { type CompactJws, parseCompact } from '../assertion/compact.ts'
import { parseObject } from '../assertion/json.ts'
import {
  allowedAlgorithm,
  findKeys,
  namedKey,
  refuseExtensions,
  verifySignature,
} from '../assertion/signature.ts'
import { takeAssertion } from '../assertion/take.ts'
import { createVerifier } from '../assertion/verify.ts'
import type { Config, Milliseconds } from '../config/config.ts'
import { type Code, RejectedError } from '../errors.ts'
import { createIdentityHeaders, type IdentityLines } from '../identity/headers.ts'
import type { KeySet } from '../key-set/types.ts'

export type TrustConfig = Pick<
  Config,
  | 'assertionHeader'
  | 'issuers'
  | 'audiences'
  | 'algorithms'
  | 'clockSkew'
  | 'maxAssertionAge'
  | 'allowAnonymous'
  | 'identityHeaders'
>

export interface ExamineDeps {
  readonly config: TrustConfig
  readonly keySet: Pick<KeySet, 'find' | 'refreshForUnknownKey'>
  /** Wall clock, milliseconds since the epoch; it stands still during the examination. */
  readonly now: Milliseconds
}

export interface Refused {
  readonly code: Code
  readonly status: number
  readonly reason: string | undefined
}

/** How one step ended. */
export interface Outcome {
  /** `header`, `form`, `algorithm`, `extensions`, `key`, `signature`, `claims`, a claim check's name, `identity`. */
  readonly step: string
  readonly result: 'passed' | 'failed' | 'not reached'
  readonly refused: Refused | undefined
  /** Of a step on one claim. */
  readonly check: ClaimCheck | undefined
}

export interface Examination {
  /** What the server answers; `undefined`: it forwards the request. */
  readonly verdict: Refused | undefined
  /** In the order in which the server decides. */
  readonly outcomes: readonly Outcome[]
  readonly assertion: string | undefined
  readonly jws: CompactJws | undefined
  /** A key of the key set vouches for the claims. */
  readonly isSigned: boolean
  readonly claims: Claims | undefined
  /** `undefined` when nobody vouches for the claims, they name nobody, or one cannot be sent. */
  readonly identity: IdentityLines | undefined
}

/**
 * Takes the server's own decision about a request with these header lines, then goes through its steps one by one and on
 * past the first that refuses, as far as they can still say something. Never rejects for the sake of the assertion.
 */
export async function examine(
  rawHeaders: readonly string[],
  deps: ExamineDeps,
): Promise<Examination> {
  const { config, now } = deps
  const verdict = await decide(rawHeaders, deps)
  const trail = createTrail()
  const assertion = await trail.step('header', () =>
    takeAssertion(rawHeaders, config.assertionHeader),
  )
  const jws = await trail.step('form', assertion && (() => parseCompact(assertion.value)))
  const payload = await verify(jws?.value, deps, trail)
  const bytes = payload ?? jws?.value.payload
  const claims = await trail.step('claims', bytes && (() => readClaims(bytes)))
  const moment = { now, subject: subjectOf(config) }
  for (const check of createClaimChecks(config)) {
    const refuse = ({ value }: Kept<Claims>) => {
      const refusal = check.run(value, moment)
      if (refusal !== undefined) throw new RejectedError(refusal.code, refusal)
    }
    await trail.step(check.name, claims && (() => refuse(claims)), check)
  }
  const named = payload !== undefined && namesSomebody(claims?.value) ? claims : undefined
  const toHeaders = createIdentityHeaders(config.identityHeaders)
  const identity = await trail.step('identity', named && (() => toHeaders(named.value)))
  return {
    verdict,
    outcomes: trail.outcomes,
    assertion: assertion?.value,
    jws: jws?.value,
    isSigned: payload !== undefined,
    claims: claims?.value,
    identity: identity?.value,
  }
}

/** As src/decision.ts does it for a path that is not public; rules and replays are about a request, not a token. */
async function decide(
  rawHeaders: readonly string[],
  { config, keySet, now }: ExamineDeps,
): Promise<Refused | undefined> {
  const verify = createVerifier({ keySet, expected: config, now: () => now })
  const toHeaders = createIdentityHeaders(config.identityHeaders)
  try {
    const assertion = takeAssertion(rawHeaders, config.assertionHeader)
    const { anonymous, claims } = await verify(assertion, subjectOf(config))
    if (!anonymous) toHeaders(claims)
    return undefined
  } catch (error) {
    return refusedBy(error)
  }
}

const subjectOf = ({ allowAnonymous }: TrustConfig): Subject =>
  allowAnonymous ? 'may-be-empty' : 'required'

async function verify(
  jws: CompactJws | undefined,
  { config, keySet }: ExamineDeps,
  trail: Trail,
): Promise<Uint8Array | undefined> {
  const alg = await trail.step('algorithm', jws && (() => allowedAlgorithm(jws, config.algorithms)))
  const plain = await trail.step('extensions', jws && (() => refuseExtensions(jws)))
  const keys = await trail.step(
    'key',
    jws && alg && (() => findKeys(keySet, alg.value, namedKey(jws))),
  )
  const canVerify = jws && alg && plain && keys
  const deps = { keySet, algorithms: config.algorithms }
  const signed = await trail.step('signature', canVerify && (() => verifySignature(jws, deps)))
  return signed?.value.payload
}

function readClaims(bytes: Uint8Array): Claims {
  const claims = parseObject(bytes)
  if (claims !== undefined) return claims
  throw new RejectedError('ERR_ASSERTION_MALFORMED', { reason: 'claims are not a JSON object' })
}

const namesSomebody = (claims: Claims | undefined): boolean =>
  typeof claims?.['sub'] === 'string' && claims['sub'] !== ''

/** Wrapped, so that a step that gives nothing still differs from one that failed. */
interface Kept<T> {
  readonly value: T
}

interface Trail {
  readonly outcomes: readonly Outcome[]
  /** Runs the step and notes how it ended; without `run` it is not reached. */
  step<T>(
    name: string,
    run: (() => T | Promise<T>) | undefined,
    check?: ClaimCheck,
  ): Promise<Kept<T> | undefined>
}

function createTrail(): Trail {
  const outcomes: Outcome[] = []
  return {
    outcomes,
    async step(step, run, check) {
      if (run === undefined) {
        outcomes.push({ step, result: 'not reached', refused: undefined, check })
        return undefined
      }
      try {
        const value = await run()
        outcomes.push({ step, result: 'passed', refused: undefined, check })
        return { value }
      } catch (error) {
        outcomes.push({ step, result: 'failed', refused: refusedBy(error), check })
        return undefined
      }
    },
  }
}

/** A fault of ours stays one. */
function refusedBy(error: unknown): Refused {
  if (!(error instanceof RejectedError)) throw error
  const { code, status, reason } = error
  return { code, status, reason }
}
