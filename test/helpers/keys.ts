import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { createCheckSignature } from '../../src/key-set/signature.ts'
import type { KeySet, VerificationKey } from '../../src/key-set/types.ts'

/** A key pair that signs as `alg`. */
export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const CURVES: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  ES256K: 'secp256k1',
}

/** A fresh key pair; without `kid` its name is Pomerium's: the RFC 7638 thumbprint in hex. */
export function createKey(alg = 'ES256', kid?: string): SigningKey {
  const { privateKey, publicKey } = generatePair(alg)
  return { kid: kid ?? thumbprint(publicKey), alg, privateKey, publicKey }
}

function generatePair(alg: string) {
  const namedCurve = CURVES[alg]
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve })
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export function thumbprint(publicKey: KeyObject): string {
  const { crv, e, kty, n, x, y } = publicKey.export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('hex')
}

/** The public key as Pomerium publishes it. */
export function publicJwk({ publicKey, alg, kid }: SigningKey): JWK {
  return { use: 'sig', ...(publicKey.export({ format: 'jwk' }) as JWK), alg, kid }
}

export async function verificationKey(key: SigningKey): Promise<VerificationKey> {
  return {
    kid: key.kid,
    alg: key.alg,
    check: createCheckSignature(key.alg, key.publicKey, 'loop'),
  }
}

export interface MemoryKeySet extends Pick<KeySet, 'find' | 'refreshForUnknownKey'> {
  /** How often an unknown key asked for a refresh. */
  readonly refreshes: () => number
  /** How often keys were looked up. */
  readonly lookups: () => number
  /** What the set holds from now on; `undefined`: it is not usable. */
  readonly replace: (keys: readonly VerificationKey[] | undefined) => void
  /** What the next refresh brings. */
  readonly publish: (keys: readonly VerificationKey[] | undefined) => void
}

/** A key set in memory that counts what is asked of it. */
export function memoryKeySet(keys: readonly VerificationKey[] | undefined): MemoryKeySet {
  let held = keys
  let published: { keys: readonly VerificationKey[] | undefined } | undefined
  let refreshes = 0
  let lookups = 0
  return {
    find: (alg, kid) => {
      lookups += 1
      return held?.filter((key) => key.alg === alg && (kid === undefined || key.kid === kid))
    },
    refreshForUnknownKey: async () => {
      refreshes += 1
      if (published !== undefined) held = published.keys
      published = undefined
    },
    refreshes: () => refreshes,
    lookups: () => lookups,
    replace: (next) => {
      held = next
    },
    publish: (next) => {
      published = { keys: next }
    },
  }
}
