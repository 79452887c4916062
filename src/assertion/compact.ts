import type { Bytes } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { parseObject } from './json.ts'

/** The parts of a compact JWS (RFC 7515 section 7.1), each canonical base64url, with its header decoded. */
export interface CompactJws {
  readonly protected: string
  readonly payload: string
  readonly signature: string
  /** What the signature is over: the first two parts with the dot between them. */
  readonly signed: string
  /** Own members only, on an object without prototype. */
  readonly header: Readonly<Record<string, unknown>>
}

/** The longest header part. Pomerium's hold `alg`, `kid` and `typ`: about 130 characters. */
export const MAX_HEADER_PART: Bytes = 8 * 1024

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
// The header part may not be empty; an empty payload or signature is the business of later checks.
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/

/** The members of a header part, or `undefined` when it is not a JSON object in UTF-8. */
export type ReadHeader = (part: string) => CompactJws['header'] | undefined

const readHeader: ReadHeader = (part) => parseObject(Buffer.from(part, 'base64url'))

/** How many header parts are remembered, and how long they may be: whoever sends requests chooses them. */
export const MAX_HEADERS = 8
export const MAX_REMEMBERED_PART = 512

/**
 * Reads each header part once: Pomerium's changes with its signing key alone, so that all but the first cost nothing
 * (about 2 µs saved per request). Holds at most {@link MAX_HEADERS}, then starts anew; what is no header is not kept.
 */
export function rememberHeaders(read: ReadHeader = readHeader): ReadHeader {
  const known: { readonly part: string; readonly members: CompactJws['header'] }[] = []
  return (part) => {
    // A list, not a map: to compare it with the one that nearly always comes again costs less than a hash of it.
    for (const before of known) if (before.part === part) return before.members
    const members = read(part)
    if (members === undefined || part.length > MAX_REMEMBERED_PART) return members
    if (known.length >= MAX_HEADERS) known.length = 0
    known.push({ part, members: Object.freeze(members) })
    return members
  }
}

/**
 * Takes a compact JWS apart without deciding anything about what it says.
 *
 * Every sequence of bytes has one accepted spelling: no padding, no blank, no bits left over after the last
 * byte (RFC 4648 section 3.5), so that one signature cannot vouch for two texts.
 *
 * @throws RejectedError `ERR_ASSERTION_MALFORMED` or `ERR_ASSERTION_TOO_LARGE`.
 */
export function parseCompact(assertion: string, read: ReadHeader = readHeader): CompactJws {
  if (!COMPACT_JWS.test(assertion)) throw malformed('not three base64url parts')
  const first = assertion.indexOf('.')
  const second = assertion.lastIndexOf('.')
  const header = assertion.slice(0, first)
  const payload = assertion.slice(first + 1, second)
  const signature = assertion.slice(second + 1)
  if (first > MAX_HEADER_PART) throw new RejectedError('ERR_ASSERTION_TOO_LARGE')
  if (!isCanonical(header) || !isCanonical(payload) || !isCanonical(signature))
    throw malformed('not canonical base64url')
  const members = read(header)
  if (members === undefined) throw malformed('header is not a JSON object')
  const signed = assertion.slice(0, second)
  return { protected: header, payload, signature, signed, header: members }
}

/** @param text of the alphabet of base64url alone */
function isCanonical(text: string): boolean {
  const over = text.length % 4
  if (over === 0) return true
  if (over === 1) return false
  // Two characters carry one byte and 4 spare bits, three carry two bytes and 2: they must be zero.
  const spare = over === 2 ? 0b1111 : 0b11
  return (ALPHABET.indexOf(text.slice(-1)) & spare) === 0
}

function malformed(reason: string): RejectedError {
  return new RejectedError('ERR_ASSERTION_MALFORMED', { reason })
}
