// What RFC 7515, RFC 7518, RFC 7519 and the documented rules say about one assertion, written a second time: on node:crypto
// instead of jose, and without a line of the program. Where several rules refuse, any of their codes is right.
import { isUtf8 } from 'node:buffer'
import { constants, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto'

export interface OracleKey {
  readonly kid: string | undefined
  readonly alg: string
  readonly publicKey: KeyObject
}

export interface OracleRules {
  /** `undefined`: no usable key set. */
  readonly keys: readonly OracleKey[] | undefined
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
  /** Seconds, as all that follow. */
  readonly skew: number
  readonly maxAge: number | undefined
  readonly now: number
  readonly mayBeEmpty: boolean
}

type Members = Readonly<Record<string, unknown>>
export type Verdict = { readonly claims: Members } | { readonly codes: readonly string[] }

const refuse = (...codes: string[]): Verdict => ({ codes: codes.map((c) => `ERR_ASSERTION_${c}`) })

export function judge(token: string, rules: OracleRules): Verdict {
  const parts = token.split('.')
  const isLong = parts.length === 3 && (parts[0]?.length ?? 0) > 8192
  const form = isLong ? refuse('TOO_LARGE', 'MALFORMED') : refuse('MALFORMED')
  const [head, body, seal] = parts.map(octets)
  if (parts.length !== 3 || !head || !body || !seal || isLong) return form
  const header = members(head)
  if (header === undefined) return form
  const { alg, kid } = header
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) return refuse('ALGORITHM')
  if (['crit', 'b64', 'zip'].some((name) => name in header)) return refuse('CRITICAL')
  if ('kid' in header && typeof kid !== 'string') return refuse('KEY_UNKNOWN')
  if (rules.keys === undefined) return { codes: ['ERR_KEY_SET_UNAVAILABLE'] }
  const keys = rules.keys.filter(
    (key) => key.alg === alg && (!('kid' in header) || key.kid === kid),
  )
  if (keys.length === 0) return refuse('KEY_UNKNOWN')
  const input = Buffer.from(token.slice(0, token.lastIndexOf('.')))
  if (!keys.some(({ publicKey }) => isSealed(alg, input, seal, publicKey)))
    return refuse('SIGNATURE')
  const claims = members(body)
  if (claims === undefined) return refuse('MALFORMED')
  const faults = claimFaults(claims, rules)
  return faults.length === 0 ? { claims } : refuse(...faults)
}

/** RFC 4648 section 5 without padding, in its one spelling. */
function octets(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** The members of a JSON object of at most 128 levels, looked at through no prototype. */
function members(bytes: Buffer): Members | undefined {
  if (!isUtf8(bytes)) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    let level: object[] = [value]
    for (let depth = 1; level.length > 0; depth++) {
      if (depth > 128) return undefined
      level = level.flatMap((item) => Object.values(item)).filter(isContainer)
    }
    return Object.setPrototypeOf(value, null)
  } catch {
    return undefined
  }
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null

/** RFC 7518 section 3.1 and RFC 8037 section 3.1: hash, length of the signature where it is fixed, how to check. */
const SEALS: Record<string, [string | null, number | undefined, Partial<VerifyKeyObjectInput>]> = {
  ES256: ['sha256', 64, { dsaEncoding: 'ieee-p1363' }],
  ES384: ['sha384', 96, { dsaEncoding: 'ieee-p1363' }],
  RS256: ['sha256', undefined, { padding: constants.RSA_PKCS1_PADDING }],
  PS256: ['sha256', undefined, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
  EdDSA: [null, 64, {}],
}

function isSealed(alg: string, input: Buffer, seal: Buffer, key: KeyObject): boolean {
  const [hash, length, options] = SEALS[alg] ?? [null, 0, {}]
  return (length ?? seal.length) === seal.length && verify(hash, input, { key, ...options }, seal)
}

function claimFaults(claims: Members, rules: OracleRules): string[] {
  const { iss, aud, exp, nbf, iat, sub } = claims
  const { now, skew, maxAge } = rules
  const faults: string[] = []
  const rule = (holds: boolean, ...codes: string[]) => void (holds || faults.push(...codes))
  rule(typeof iss === 'string', 'CLAIM')
  rule(typeof iss !== 'string' || rules.issuers.some((one) => fits(one, iss)), 'ISSUER')
  const named: unknown[] = Array.isArray(aud) ? aud : [aud]
  const isNamed = named.every((one) => typeof one === 'string')
  rule(isNamed, 'CLAIM')
  rule(
    named.some((one) => rules.audiences.some((wanted) => fits(wanted, one))),
    ...(isNamed ? ['AUDIENCE'] : []),
  )
  rule(isDate(exp), 'CLAIM')
  rule(!isDate(exp) || now < exp + skew, 'EXPIRED')
  rule(nbf === undefined || isDate(nbf), 'CLAIM')
  rule(!isDate(nbf) || now >= nbf - skew, 'NOT_YET_VALID')
  rule(isDate(iat), 'CLAIM')
  rule(!isDate(iat) || now >= iat - skew, 'NOT_YET_VALID')
  rule(maxAge === undefined || !isDate(iat) || iat + maxAge + skew >= now, 'EXPIRED')
  rule(typeof sub === 'string' && (sub !== '' || rules.mayBeEmpty), 'ANONYMOUS')
  return faults
}

/** Until the last second of the year 9999; beyond it is a mistake, or means never. */
const isDate = (value: unknown): value is number =>
  typeof value === 'number' &&
  Number.isFinite(value) &&
  value <= Date.UTC(9999, 11, 31, 23, 59, 59) / 1000

/** Equal, or with `*.` in front of the host of `wanted`: one or more labels in the place of the star. */
function fits(wanted: string, found: unknown): boolean {
  const [before = '', after] = wanted.split('*', 2)
  if (typeof found !== 'string' || after === undefined) return wanted === found
  if (!found.startsWith(before) || !found.endsWith(after)) return false
  const labels = found.slice(before.length, Math.max(before.length, found.length - after.length))
  return labels.split('.').every((label) => /^[\w-]+$/.test(label))
}
