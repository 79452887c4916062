import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type JSONWebKeySet, SignJWT } from 'jose'

/** The stand-in's one key: signs assertions and says which public key verifies them. */
export interface SigningKey {
  /** RFC 7638 SHA-256 thumbprint in lowercase hex, as Pomerium names its keys. */
  readonly kid: string
  readonly jwks: JSONWebKeySet
  /** A compact JWS with exactly Pomerium's header: `alg`, `kid`, `typ`. */
  sign(payload: Readonly<Record<string, unknown>>): Promise<string>
}

/**
 * Makes the key the stand-in signs with.
 *
 * `pem` is an EC P-256 private key, as PEM or as Pomerium's base64 of that PEM; without it a new key is made,
 * which is gone when the process ends. Throws a TypeError when the text is no P-256 private key.
 */
export const createSigningKey = async (pem?: string): Promise<SigningKey> => {
  const privateKey = pem === undefined ? newKey() : readKey(pem)
  const { kty, crv, x, y } = await exportJWK(createPublicKey(privateKey))
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) {
    throw new TypeError('The signing key must be an EC private key on the curve P-256')
  }
  const thumbprint = await calculateJwkThumbprint({ kty, crv, x, y }, 'sha256')
  const kid = Buffer.from(thumbprint, 'base64url').toString('hex')
  return {
    kid,
    jwks: { keys: [{ use: 'sig', kty, kid, crv, alg: 'ES256', x, y }] },
    sign: (payload) =>
      new SignJWT({ ...payload })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
        .sign(privateKey),
  }
}

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

const readKey = (text: string): KeyObject => {
  const pem = text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8')
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new TypeError('Cannot read the signing key: want a PEM private key or its base64', {
      cause,
    })
  }
}
