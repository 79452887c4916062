import type { ClaimCheck } from '../assertion/checks.ts'
import { CODES, type Code } from '../errors.ts'
import { advise, type Change } from './advice.ts'
import type { Examination, Outcome, TrustConfig } from './examine.ts'
import { distance, printable, show, showDate, span } from './words.ts'

/** One check as people and scripts see it. */
export interface Row {
  readonly check: string
  readonly result: Outcome['result']
  readonly code: Code | undefined
  readonly claim: string | undefined
  /** What the token has. */
  readonly seen: string | undefined
  /** What it must have; only of a check that failed. */
  readonly wanted: string | undefined
  /** Why it failed, where the code alone does not say. */
  readonly reason: string | undefined
  readonly changes: readonly Change[]
}

/** What the rows need to know beside the examination. */
export interface Surroundings {
  readonly config: TrustConfig
  readonly now: number
  /** How this clock compares with that of the key set's server, as a sentence. */
  readonly clockNote?: string | undefined
  /** Whether the setting's value comes from `route`. */
  readonly isDerived: (setting: 'issuer' | 'audience') => boolean
  readonly notJudged: readonly string[]
  readonly keySet: {
    readonly setting: 'jwks_file' | 'jwks_uri'
    /** The path or host. */
    readonly name: string
    readonly kids: readonly (string | null)[]
    readonly failure: string | undefined
  }
}

/** The outcomes in words, in their order. */
export const describeOutcomes = (
  examination: Examination,
  surroundings: Surroundings,
): readonly Row[] =>
  examination.outcomes.map((outcome) => describe(outcome, examination, surroundings))

function describe(outcome: Outcome, examination: Examination, around: Surroundings): Row {
  const { step, result, refused, check } = outcome
  const words = STEPS[step] ?? claimWords
  const { seen, wanted } = words({ examination, around, check, outcome })
  const isAbout = step === 'issuer' || step === 'audience' ? step : undefined
  const situation = {
    isDerived: isAbout !== undefined && around.isDerived(isAbout),
    keySetSetting: around.keySet.setting,
    keySetFailure: around.keySet.failure,
    alg: examination.jws?.header['alg'],
  }
  const isUnavailable = refused?.code === 'ERR_KEY_SET_UNAVAILABLE'
  return {
    check: step,
    result,
    code: refused?.code,
    claim: check?.claim,
    seen: result === 'not reached' ? undefined : seen,
    wanted: result === 'failed' ? wanted : undefined,
    reason:
      refused && (isUnavailable ? around.keySet.failure : (refused.reason ?? titleOf(refused))),
    changes: refused === undefined ? [] : advise(step, refused.code, situation),
  }
}

const titleOf = ({ code }: { readonly code: Code }): string => CODES[code].title

interface Told {
  readonly examination: Examination
  readonly around: Surroundings
  readonly check: ClaimCheck | undefined
  readonly outcome: Outcome
}

interface Words {
  readonly seen?: string
  readonly wanted?: string
}

const STEPS: Readonly<Record<string, (told: Told) => Words>> = {
  header: ({ examination: { assertion }, around: { config } }) => ({
    seen:
      assertion === undefined
        ? config.assertionHeader
        : `${config.assertionHeader}, ${assertion.length} bytes`,
    wanted: 'one line with three base64url parts between dots, at most 120 KiB',
  }),
  form: ({ outcome }) => ({
    ...(outcome.result === 'passed' ? { seen: 'a compact JWS, in its one spelling' } : {}),
    wanted: 'header.claims.signature, each canonical base64url, the header a JSON object',
  }),
  algorithm: ({ examination: { jws }, around: { config } }) => ({
    seen: `alg ${show(jws?.header['alg'])}`,
    wanted: config.algorithms.join(', '),
  }),
  extensions: ({ examination: { jws } }) => ({
    seen: ['crit', 'b64', 'zip'].filter((name) => jws && name in jws.header).join(', ') || 'none',
    wanted: 'no crit, b64 or zip: Pomerium sends none',
  }),
  key: ({ examination: { jws }, around }) => ({
    seen: `kid ${show(jws?.header['kid'])}${found(around)}`,
    wanted: around.keySet.kids
      .map((kid) => (kid === null ? 'a key without kid' : show(kid)))
      .join(', '),
  }),
  signature: ({ outcome }) => ({
    ...(outcome.result === 'passed' ? { seen: 'made with that key' } : {}),
    wanted: 'the signature of that key over exactly this text',
  }),
  claims: ({ examination: { claims } }) => ({
    seen:
      claims === undefined ? 'not readable' : `a JSON object, ${Object.keys(claims).length} claims`,
    wanted: 'one JSON object',
  }),
  identity: ({ examination: { identity } }) => ({
    seen: identity === undefined ? 'a claim' : `${identity.lines.length / 2} headers`,
    wanted: 'claims that can be sent exactly as they are',
  }),
}

const found = ({ keySet }: Surroundings): string =>
  keySet.kids.length === 0 ? '' : `, ${keySet.setting} ${printable(keySet.name)}`

const claimWords = ({ check, examination, around }: Told): Words => {
  const value = examination.claims?.[check?.claim ?? '']
  if (check === undefined || check.claim === 'sub')
    return { seen: `sub ${show(value)}`, wanted: 'a non-empty text' }
  if (check.claim === 'iss')
    return { seen: `iss ${show(value)}`, wanted: any(around.config.issuers) }
  if (check.claim === 'aud')
    return { seen: `aud ${show(value)}`, wanted: any(around.config.audiences) }
  return {
    seen: `${check.claim} ${dateWords(value, around.now)}`,
    wanted: dateWanted(check, around),
  }
}

const any = (names: readonly string[]): string => names.map((name) => show(name)).join(' or ')

const dateWords = (value: unknown, now: number): string =>
  typeof value === 'number' ? `${showDate(value)}, ${distance(value * 1000, now)}` : show(value)

function dateWanted({ name }: ClaimCheck, { config, now }: Surroundings): string {
  const { clockSkew, maxAssertionAge = 0 } = config
  const skew = `clock_skew ${span(clockSkew)}`
  const at = (time: number) => showDate(Math.floor(time / 1000))
  if (name === 'expiry') return `later than ${at(now - clockSkew)} (now less ${skew})`
  if (name !== 'age') return `${at(now + clockSkew)} at the latest (now and ${skew})`
  const oldest = now - maxAssertionAge - clockSkew
  return `${at(oldest)} at the earliest (max_assertion_age ${span(maxAssertionAge)} and ${skew})`
}
