import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

/** Issuer and audience of every token here, and the Host of every request. */
export const HOST = 'app.example.com'
/** The claim that must arrive. */
export const EMAIL = 'ana@example.com'

/** Tokens outlive the longest run. Pomerium's live five minutes; they are as long in bytes. */
const LIFETIME_SECONDS = 24 * 3600

export interface BenchKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const createBenchKey = (): BenchKey => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  // As long as Pomerium's, which is a thumbprint in hex.
  kid: `${randomUUID()}${randomUUID()}`.replaceAll('-', ''),
})

/** The JWK Set that holds the key, as Pomerium publishes it. */
export const keySetOf = ({ publicKey, kid }: BenchKey) => ({
  keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid }],
})

type Members = Readonly<Record<string, unknown>>

const encode = (members: Members): string =>
  Buffer.from(JSON.stringify(members)).toString('base64url')

/** What Pomerium signs for a user; `undefined` removes a claim. */
export function claimsOf(groups: readonly string[], changes: Members = {}): Members {
  const now = Math.floor(Date.now() / 1000)
  return {
    aud: HOST,
    email: EMAIL,
    exp: now + LIFETIME_SECONDS,
    groups,
    iat: now,
    iss: HOST,
    jti: randomUUID(),
    name: 'Ana Kovac',
    sid: 'c4b0a5a2-7a1e-4a9d-9a57-0d6f2f2f0d11',
    sub: '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    user: '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    ...changes,
  }
}

const FEW_GROUPS = ['engineering', 'admins', 'grafana-editors']

/** Group ids as identity providers give them. The same ones for every token of a set. */
export const manyGroups = (count: number): readonly string[] =>
  Array.from({ length: count }, () => randomUUID())

function headerOf(key: BenchKey, changes: Members = {}): Members {
  return { alg: 'ES256', kid: key.kid, typ: 'JWT', ...changes }
}

/** A token with a good signature over whatever it says. */
export function signToken(key: BenchKey, claims: Members, header: Members = headerOf(key)): string {
  const input = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${input}.${signature.toString('base64url')}`
}

const times = <T>(count: number, make: () => T): readonly T[] => Array.from({ length: count }, make)

/** The sets by name; each is made when it is asked for. No token is in a set twice. */
export const TOKEN_SETS = {
  good: (key: BenchKey, count: number) => times(count, () => signToken(key, claimsOf(FEW_GROUPS))),
  'groups-10': (key: BenchKey, count: number) => withGroups(key, count, 10),
  'groups-200': (key: BenchKey, count: number) => withGroups(key, count, 200),
  'bad-signature': (key: BenchKey, count: number) =>
    times(count, () => breakSignature(signToken(key, claimsOf(FEW_GROUPS)))),
  'unknown-kid': (key: BenchKey, count: number) =>
    times(count, () =>
      signToken(key, claimsOf(FEW_GROUPS), headerOf(key, { kid: createKid(key.kid) })),
    ),
  garbage: (_key: BenchKey, count: number) =>
    times(count, () => `${randomUUID()}.${randomUUID()}.${randomUUID()}`),
} as const
export type TokenSet = keyof typeof TOKEN_SETS

function withGroups(key: BenchKey, count: number, groups: number): readonly string[] {
  const ids = manyGroups(groups)
  return times(count, () => signToken(key, claimsOf(ids)))
}

/** The same length, so that only the lookup differs. */
const createKid = (like: string): string =>
  `${randomUUID()}${randomUUID()}`.replaceAll('-', '').slice(0, like.length)

/** Well-formed, and signed by nobody: one bit of the signature is another. */
function breakSignature(token: string): string {
  const [header, payload, signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[8] = (bytes[8] ?? 0) ^ 1
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

/** A request that a verifier must let pass or refuse. */
export interface ConformanceCase {
  readonly name: string
  readonly passes: boolean
  /** `''`: none is sent. */
  readonly token: string
}

/** Made by the names of what is wrong with them. Dates are wrong by more than any clock skew. */
export function conformanceCases(key: BenchKey): readonly ConformanceCase[] {
  const now = Math.floor(Date.now() / 1000)
  const claims = (changes: Members = {}) => claimsOf(FEW_GROUPS, changes)
  const unsigned = `${encode(headerOf(key, { alg: 'none' }))}.${encode(claims())}.`
  const refused: Readonly<Record<string, string>> = {
    'wrong iss': signToken(key, claims({ iss: 'other.example.com' })),
    'wrong aud': signToken(key, claims({ aud: 'other.example.com' })),
    'unknown kid': signToken(key, claims(), headerOf(key, { kid: createKid(key.kid) })),
    'wrong alg': signToken(key, claims(), headerOf(key, { alg: 'ES384' })),
    'alg none': unsigned,
    'HS256 with the public key': hmacToken(key, claims()),
    expired: signToken(key, claims({ iat: now - 7200, exp: now - 3600 })),
    'no exp': signToken(key, claims({ exp: undefined })),
    'future iat': signToken(key, claims({ iat: now + 3600, exp: now + 7200 })),
    missing: '',
  }
  return [
    { name: 'good', passes: true, token: signToken(key, claims()) },
    ...Object.entries(refused).map(([name, token]) => ({ name, passes: false, token })),
  ]
}

/** The old confusion: the public key, which everybody has, as the secret of an HMAC. */
function hmacToken(key: BenchKey, claims: Members): string {
  const input = `${encode(headerOf(key, { alg: 'HS256' }))}.${encode(claims)}`
  const secret = key.publicKey.export({ format: 'pem', type: 'spki' })
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
