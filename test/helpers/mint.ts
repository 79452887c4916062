import { constants, createHmac, type KeyObject, sign } from 'node:crypto'
import type { SigningKey } from './keys.ts'

export const HOST = 'grafana.example.com'
/** The clock of the tests, in seconds and in milliseconds since the epoch. */
export const NOW = 1_800_000_000
export const NOW_MS = NOW * 1000

export type Members = Readonly<Record<string, unknown>>

/** What Pomerium v0.33 signs for a user; `undefined` removes a claim. */
export function claimsOf(changes: Members = {}, now = NOW): Members {
  return {
    iss: HOST,
    aud: HOST,
    jti: '0b9f0f0e-6f0a-4a3a-9c39-2f0b7e2f7c11',
    iat: now,
    exp: now + 300,
    sub: 'user-1',
    user: 'user-1',
    email: 'ann@example.com',
    groups: ['dev', 'ops'],
    sid: 'session-1',
    name: 'Ann',
    ...changes,
  }
}

export interface Recipe {
  readonly key: SigningKey
  /** Laid over {@link claimsOf}; bytes or text stand for the whole payload. */
  readonly claims?: Members | string | Uint8Array
  /** Laid over `alg`, `kid` and `typ`; text stands for the whole header. */
  readonly header?: Members | string
  readonly now?: number
}

/** A compact JWS, signed with `key` whatever its header says. */
export function mint({ key, claims = {}, header = {}, now = NOW }: Recipe): string {
  const members =
    typeof header === 'string'
      ? header
      : JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
  const isWhole = typeof claims === 'string' || claims instanceof Uint8Array
  const payload = isWhole ? claims : JSON.stringify(claimsOf(claims, now))
  return seal(base64url(members), base64url(payload), signerOf(key))
}

export type Signer = (signingInput: string) => Uint8Array

/** The three parts with the signature over the first two. */
export function seal(header: string, payload: string, signer: Signer): string {
  const signingInput = `${header}.${payload}`
  return `${signingInput}.${base64url(signer(signingInput))}`
}

export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data as string).toString('base64url')
}

const HASHES: Readonly<Record<string, string>> = { ES384: 'sha384', ES512: 'sha512' }

export function signerOf({ privateKey, alg }: Pick<SigningKey, 'privateKey' | 'alg'>): Signer {
  return (input) => {
    const data = Buffer.from(input)
    if (alg === 'EdDSA') return sign(null, data, privateKey)
    return sign(HASHES[alg] ?? 'sha256', data, signingOptions(privateKey, alg))
  }
}

function signingOptions(key: KeyObject, alg: string) {
  if (alg.startsWith('ES')) return { key, dsaEncoding: 'ieee-p1363' as const }
  if (alg === 'PS256') return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return key
}

/** Signs with a shared secret: what no verifier of public keys may accept. */
export function hmacSigner(alg: string, secret: string | Uint8Array): Signer {
  return (input) =>
    createHmac(`sha${alg.slice(2)}`, secret)
      .update(input)
      .digest()
}

/** `[header, payload, signature]` of a compact JWS. */
export function partsOf(assertion: string): [string, string, string] {
  const [header = '', payload = '', signature = ''] = assertion.split('.')
  return [header, payload, signature]
}
