import { KeyObject } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { importJWK, type JWK } from 'jose'
import { fittingAlgorithms, isKnownAlgorithm } from './algorithms.ts'
import { createCheckSignature, placeFor } from './signature.ts'
import type { CheckSignature, VerificationKey } from './types.ts'

/** Below this an RSA signature is refused (RFC 7518 §3.3). */
const MIN_RSA_BITS = 2048
const BASE64URL = /^[A-Za-z0-9_-]+$/
/** Members that only a secret key has (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

type Members = Readonly<Record<string, unknown>>

export type ImportedKey =
  | { readonly kind: 'keys'; readonly keys: readonly VerificationKey[] }
  | { readonly kind: 'ignored'; readonly why: string }

/**
 * One member of a JWK Set as verification keys: one for each of `algorithms` that fits, since a key without `alg`
 * may serve several. Only the public members are handed on; a key published with its private half is refused, as
 * anybody who read the set can sign with it. Never rejects.
 */
export async function importPublicKey(
  value: unknown,
  algorithms: readonly string[],
): Promise<ImportedKey> {
  if (!isObject(value)) return ignored('is not an object')
  const jwk: Members = value
  const why = unsuitable(jwk)
  if (why !== undefined) return ignored(why)
  const fitting = usableAlgorithms(jwk, algorithms)
  if (fitting.length === 0) return ignored(describeMismatch(jwk))
  const material = publicMembers(jwk)
  if (material === undefined) return ignored('is damaged')
  if (isWeakRsa(material))
    return ignored(`is an RSA key that is too weak (want ${MIN_RSA_BITS} bits)`)
  const kid = typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined
  try {
    const imported = fitting.map(async (alg) => ({
      kid,
      alg,
      check: await importOne(material, alg),
    }))
    return { kind: 'keys', keys: await Promise.all(imported) }
  } catch {
    // jose and WebCrypto say no more than "invalid": a point off the curve, a wrong length.
    return ignored('is damaged')
  }
}

async function importOne(material: JWK, alg: string): Promise<CheckSignature> {
  const key = await importJWK(material, alg, { extractable: true })
  if (key instanceof Uint8Array || key.type !== 'public') throw new TypeError('not a public key')
  return createCheckSignature(alg, KeyObject.from(key), placeFor(availableParallelism()))
}

function unsuitable(jwk: Members): string | undefined {
  if (jwk['kty'] === 'oct') return 'is a shared secret, which is never loaded'
  if (SECRET_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    return 'is published together with its private half: replace that signing key'
  }
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return 'is not for signatures (use)'
  const operations = jwk['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'is not for verifying (key_ops)'
  }
  if (jwk['kid'] !== undefined && typeof jwk['kid'] !== 'string')
    return 'has a kid that is no string'
  return undefined
}

function usableAlgorithms(jwk: Members, algorithms: readonly string[]): readonly string[] {
  const fitting = fittingAlgorithms({ kty: jwk['kty'], crv: jwk['crv'] }, algorithms)
  return jwk['alg'] === undefined ? fitting : fitting.filter((alg) => alg === jwk['alg'])
}

function describeMismatch({ alg }: Members): string {
  if (alg === undefined) return 'fits none of the allowed algorithms'
  if (!isKnownAlgorithm(alg)) return 'is for an algorithm that is never allowed'
  return `is for ${alg}, which is not allowed (algorithms) or does not fit its type`
}

/** Nothing else of the JWK reaches the import: no `ext`, no `alg`, no member that changes its meaning. */
function publicMembers(jwk: Members): JWK | undefined {
  const { kty, crv, x, y, n, e } = jwk
  if (kty === 'RSA' && isBase64url(n) && isBase64url(e)) return { kty, n, e }
  if (typeof crv !== 'string' || !isBase64url(x)) return undefined
  if (kty === 'OKP') return { kty, crv, x }
  return kty === 'EC' && isBase64url(y) ? { kty, crv, x, y } : undefined
}

/** With an exponent of 1 the signature is the message itself: anybody could write one. */
function isWeakRsa({ kty, n, e }: JWK): boolean {
  if (kty !== 'RSA') return false
  return bitLength(n ?? '') < MIN_RSA_BITS || bitLength(e ?? '') < 2
}

function bitLength(base64url: string): number {
  const hex = Buffer.from(base64url, 'base64url').toString('hex').replace(/^0+/, '')
  return hex === '' ? 0 : hex.length * 4 - Math.clz32(Number.parseInt(hex.charAt(0), 16)) + 28
}

function isBase64url(value: unknown): value is string {
  return typeof value === 'string' && BASE64URL.test(value)
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function ignored(why: string): ImportedKey {
  return { kind: 'ignored', why }
}
