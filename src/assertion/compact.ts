import type { Bytes } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { parseObject } from './json.ts'

/** A compact JWS (RFC 7515 section 7.1), decoded. */
export interface CompactJws {
  /** Own members only, on an object without prototype. */
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  /** What the signature is over: the text of the first two parts with the dot between them. */
  readonly signed: Uint8Array
}

/** The longest header part. Pomerium's hold `alg`, `kid` and `typ`: about 130 characters. */
export const MAX_HEADER_PART: Bytes = 8 * 1024

/** The members of a header part, or `undefined` when it is not a JSON object in UTF-8 and canonical base64url. */
export type ReadHeader = (part: string) => CompactJws['header'] | undefined

const readHeader: ReadHeader = (part) => {
  const bytes = decode(part)
  return bytes && parseObject(bytes)
}

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
    // A copy: as a part of its assertion it would keep all of that.
    const copy = Buffer.from(part, 'latin1').toString('latin1')
    known.push({ part: copy, members: Object.freeze(members) })
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
  const first = assertion.indexOf('.')
  const second = assertion.indexOf('.', first + 1)
  if (second === -1) throw malformed('not three parts')
  if (first > MAX_HEADER_PART) throw new RejectedError('ERR_ASSERTION_TOO_LARGE')
  const payload = decode(assertion.slice(first + 1, second))
  // With it goes a fourth part: no decoded text has a dot.
  const signature = decode(assertion.slice(second + 1))
  if (payload === undefined || signature === undefined) throw malformed('not canonical base64url')
  const header = read(assertion.slice(0, first))
  if (header === undefined) throw malformed('header is not a JSON object')
  return { header, payload, signature, signed: Buffer.from(assertion.slice(0, second), 'latin1') }
}

/**
 * The bytes of a part; `undefined` unless it is what they encode to (RFC 4648 section 5): of all other spellings Node takes
 * many. Encoding them again costs less than half of a look at each character.
 */
function decode(part: string): Uint8Array | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function malformed(reason: string): RejectedError {
  return new RejectedError('ERR_ASSERTION_MALFORMED', { reason })
}
