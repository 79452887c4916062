import type { Config, Milliseconds } from '../config/config.ts'
import type { Code } from '../errors.ts'
import type { Claims } from './claims.ts'

/** NumericDate, RFC 7519 section 2; may have a fraction. */
export type Seconds = number

/** Whether `sub` may be `""`, as in what Pomerium signs for a request without a session. */
export type Subject = 'required' | 'may-be-empty'

export type Expected = Pick<Config, 'issuers' | 'audiences' | 'clockSkew' | 'maxAssertionAge'>

/** What a check looks at beside the claims. */
export interface Moment {
  readonly now: Milliseconds
  readonly subject: Subject
}

/** Why a check refuses. `reason` holds no claim value. */
export interface Refusal {
  readonly code: Code
  readonly reason: string
}

/** One rule on the claims. */
export interface ClaimCheck {
  readonly name: string
  readonly claim: string
  /** The setting that decides it; `undefined`: no setting does. */
  readonly setting: string | undefined
  /** `undefined`: the claims pass. */
  readonly run: (claims: Claims, moment: Moment) => Refusal | undefined
}

/** 9999-12-31T23:59:59Z. A date beyond it is a mistake of units, or means never. */
export const MAX_DATE: Seconds = 253_402_300_799

/**
 * Every rule on the claims, in the order in which they decide (the first refusal counts).
 *
 * Issuers and audiences are compared exactly; a pattern with `*.` in front of its host takes one or more
 * labels there. All three dates allow `clockSkew`: at `exp` + skew an assertion has expired, at `nbf` − skew
 * and `iat` − skew it is valid.
 */
export function createClaimChecks(expected: Expected): readonly ClaimCheck[] {
  const skew = expected.clockSkew / 1000
  const checks: readonly (ClaimCheck | undefined)[] = [
    issuerCheck(expected.issuers),
    audienceCheck(expected.audiences),
    expiryCheck(skew),
    notBeforeCheck(skew),
    issuedAtCheck(skew),
    ageCheck(expected.maxAssertionAge, skew),
    SUBJECT_CHECK,
  ]
  return checks.filter((check) => check !== undefined)
}

function issuerCheck(issuers: readonly string[]): ClaimCheck {
  const isExpected = createMatcher(issuers)
  return {
    name: 'issuer',
    claim: 'iss',
    setting: 'issuer',
    run: ({ iss }) => {
      if (typeof iss !== 'string') return wrongType(iss, 'iss')
      return isExpected(iss) ? undefined : refusal('ERR_ASSERTION_ISSUER', 'iss is not expected')
    },
  }
}

function audienceCheck(audiences: readonly string[]): ClaimCheck {
  const isExpected = createMatcher(audiences)
  return {
    name: 'audience',
    claim: 'aud',
    setting: 'audience',
    run: ({ aud }) => {
      const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
      if (!values.every((value) => typeof value === 'string')) return wrongType(aud, 'aud')
      if (values.some(isExpected)) return undefined
      return refusal('ERR_ASSERTION_AUDIENCE', 'aud is not expected')
    },
  }
}

function expiryCheck(skew: Seconds): ClaimCheck {
  return {
    name: 'expiry',
    claim: 'exp',
    setting: 'clock_skew',
    run: ({ exp }, { now }) => {
      if (!isDate(exp)) return wrongType(exp, 'exp')
      return exp <= now / 1000 - skew ? refusal('ERR_ASSERTION_EXPIRED', 'exp is past') : undefined
    },
  }
}

function notBeforeCheck(skew: Seconds): ClaimCheck {
  return {
    name: 'not before',
    claim: 'nbf',
    setting: 'clock_skew',
    run: ({ nbf }, { now }) => {
      // The only date that may be absent: Pomerium has not sent it since 0.10.
      if (nbf === undefined) return undefined
      if (!isDate(nbf)) return wrongType(nbf, 'nbf')
      return nbf > now / 1000 + skew ? notYetValid('nbf is in the future') : undefined
    },
  }
}

function issuedAtCheck(skew: Seconds): ClaimCheck {
  return {
    name: 'issued at',
    claim: 'iat',
    setting: 'clock_skew',
    run: ({ iat }, { now }) => {
      if (!isDate(iat)) return wrongType(iat, 'iat')
      return iat > now / 1000 + skew ? notYetValid('iat is in the future') : undefined
    },
  }
}

function ageCheck(maxAge: Milliseconds | undefined, skew: Seconds): ClaimCheck | undefined {
  if (maxAge === undefined) return undefined
  return {
    name: 'age',
    claim: 'iat',
    setting: 'max_assertion_age',
    run: ({ iat }, { now }) => {
      if (!isDate(iat)) return wrongType(iat, 'iat')
      const isOld = iat < (now - maxAge) / 1000 - skew
      return isOld ? refusal('ERR_ASSERTION_EXPIRED', 'iat is older than allowed') : undefined
    },
  }
}

const SUBJECT_CHECK: ClaimCheck = {
  name: 'subject',
  claim: 'sub',
  setting: 'allow_anonymous',
  run: ({ sub }, { subject }) => {
    if (typeof sub === 'string' && sub !== '') return undefined
    if (sub === '' && subject === 'may-be-empty') return undefined
    return refusal('ERR_ASSERTION_ANONYMOUS', 'sub is not a non-empty string')
  },
}

function isDate(value: unknown): value is Seconds {
  return typeof value === 'number' && Number.isFinite(value) && value <= MAX_DATE
}

function wrongType(value: unknown, claim: string): Refusal {
  return refusal(
    'ERR_ASSERTION_CLAIM',
    `${claim} is ${value === undefined ? 'absent' : 'unusable'}`,
  )
}

function notYetValid(reason: string): Refusal {
  return refusal('ERR_ASSERTION_NOT_YET_VALID', reason)
}

function refusal(code: Code, reason: string): Refusal {
  return { code, reason }
}

const WILDCARD = /^(https?:\/\/)?\*(\..+)$/
const LABELS = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/

function createMatcher(patterns: readonly string[]): (value: string) => boolean {
  const matchers = patterns.map(matcher)
  return (value) => matchers.some((matches) => matches(value))
}

function matcher(pattern: string): (value: string) => boolean {
  const [, scheme = '', domain] = WILDCARD.exec(pattern) ?? []
  if (domain === undefined) return (value) => value === pattern
  return (value) =>
    value.startsWith(scheme) &&
    value.endsWith(domain) &&
    LABELS.test(value.slice(scheme.length, -domain.length))
}
