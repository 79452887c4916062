import { constants, type KeyObject, verify } from 'node:crypto'
import { createBatch } from './batch.ts'
import type { CheckSignature } from './types.ts'

/**
 * Where signatures are checked. `loop`: on the event loop, in batches, and the loop waits meanwhile (45 to 90 µs for each
 * ES256). `pool`: in Node's threads, which costs more, leaves the loop to others and makes use of a second processor.
 */
export type Place = 'loop' | 'pool'

/** In the pool where a second processor is there for it; alone on one, the way there and back is only work. */
export const placeFor = (processors: number): Place => (processors > 1 ? 'pool' : 'loop')

/** How one algorithm signs (RFC 7518 §3.1, RFC 8037 §3.1). */
interface Scheme {
  /** `null`: the algorithm hashes by itself. */
  readonly hash: string | null
  /** Bytes of each of the two numbers of an ECDSA signature. */
  readonly half?: number
  readonly isPss?: true
}

const ED25519: Scheme = { hash: null }

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['ES256', { hash: 'sha256', half: 32 }],
  ['ES384', { hash: 'sha384', half: 48 }],
  ['ES512', { hash: 'sha512', half: 66 }],
  ['RS256', { hash: 'sha256' }],
  ['RS384', { hash: 'sha384' }],
  ['RS512', { hash: 'sha512' }],
  ['PS256', { hash: 'sha256', isPss: true }],
  ['PS384', { hash: 'sha384', isPss: true }],
  ['PS512', { hash: 'sha512', isPss: true }],
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
])

/**
 * Makes the check of one key's signatures. Not by jose, which does the same through WebCrypto at 10 to 20 µs more a
 * signature; `test/key-set/signature-differential.test.ts` holds both to the same answers.
 *
 * @throws TypeError for an algorithm that is not in the table: such a key is of no use.
 */
export function createCheckSignature(alg: string, key: KeyObject, place: Place): CheckSignature {
  const scheme = SCHEMES.get(alg)
  if (scheme === undefined) throw new TypeError(`no way to check ${alg}`)
  const { hash, half } = scheme
  // An options object costs up to 18 µs a signature on some versions of Node, a bare key nothing.
  const how = scheme.isPss === true ? { ...PSS, key } : key
  const run = place === 'loop' ? onLoop : inPool
  return (signed, signature) => {
    const bytes = half === undefined ? signature : ecdsaDer(signature, half)
    return bytes !== undefined && run({ hash, signed, how, bytes })
  }
}

const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  // RFC 7518 §3.5: as long as the hash, and no other length.
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
}

interface Job {
  readonly hash: string | null
  readonly signed: Uint8Array
  readonly how: KeyObject | (typeof PSS & { readonly key: KeyObject })
  readonly bytes: Uint8Array
}

/** One for all keys: requests of one turn may come with different ones. */
const inBatch = createBatch(setImmediate)

const onLoop = ({ hash, signed, how, bytes }: Job): Promise<boolean> =>
  inBatch(() => verify(hash, signed, how, bytes))

const inPool = ({ hash, signed, how, bytes }: Job): Promise<boolean> =>
  new Promise((resolve) => {
    verify(hash, signed, how, bytes, (error, isGood) => resolve(error === null && isGood))
  })

/**
 * The two numbers of an ECDSA signature, side by side in a JWS (RFC 7518 §3.4), as DER (SEC 1 §C.5), which OpenSSL reads
 * without a detour. `undefined` when they are not `half` bytes each.
 */
export function ecdsaDer(signature: Uint8Array, half: number): Uint8Array | undefined {
  if (signature.length !== half * 2) return undefined
  const r = digitsOf(signature, 0, half)
  const s = digitsOf(signature, half, half * 2)
  const size = integerSize(r) + integerSize(s)
  // From 128 bytes on, a length takes a byte of its own (X.690 §8.1.3.5).
  const head = size < 0x80 ? [0x30, size] : [0x30, 0x81, size]
  // Of Node's pool, byte by byte: memory of its own, and views of it for the halves, take three times as long.
  const der = Buffer.allocUnsafe(head.length + size)
  for (const [at, byte] of head.entries()) der[at] = byte
  putInteger(der, putInteger(der, head.length, r), s)
  return der
}

/** A number within a signature, less the leading zeros that it does not need: one byte stays. */
interface Digits {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

function digitsOf(bytes: Uint8Array, start: number, to: number): Digits {
  let from = start
  while (from < to - 1 && bytes[from] === 0) from++
  return { bytes, from, to }
}

/** With its tag, its length, and a zero before a first bit that would make it negative. */
const integerSize = ({ bytes, from, to }: Digits): number =>
  2 + to - from + (isHigh(bytes[from]) ? 1 : 0)

const isHigh = (byte: number | undefined): boolean => byte !== undefined && byte > 0x7f

/** @returns where the next one begins */
function putInteger(der: Uint8Array, start: number, digits: Digits): number {
  const { bytes, from, to } = digits
  let at = start
  der[at++] = 0x02
  der[at++] = integerSize(digits) - 2
  if (isHigh(bytes[from])) der[at++] = 0
  for (let i = from; i < to; i++) der[at++] = bytes[i] ?? 0
  return at
}
