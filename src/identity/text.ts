import type { Transform } from '../config/config.ts'
import { RejectedError } from '../errors.ts'

/** A claim, or a part of it, that cannot be said in a header: the request is refused. */
export function unusable(reason: string): RejectedError {
  return new RejectedError('ERR_ASSERTION_CLAIM', { reason })
}

/**
 * The text of one scalar in a claim: strings as they are, numbers and booleans as JSON text.
 *
 * @throws RejectedError `ERR_ASSERTION_CLAIM` for an object or a list, for a number that JSON's doubles
 *   cannot hold exactly (its digits are lost already), and for text that {@link checkText} refuses.
 */
export function scalarText(value: unknown): string {
  if (typeof value === 'string') return checkText(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return numberText(value)
  throw unusable('a value is an object or a list')
}

/** As {@link scalarText} for a number; also used where numbers stand inside JSON. */
export function numberText(value: number): string {
  const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  if (!isExact) throw unusable('a number is not exact')
  return JSON.stringify(value)
}

/** Visible ASCII with blanks inside alone. */
const PLAIN_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/**
 * Text that reaches the upstream as it is, or not at all. A reader may split lines, replace what is no
 * Unicode and trim what looks blank, so two identities could become one.
 *
 * @throws RejectedError `ERR_ASSERTION_CLAIM` for a control character (C0, DEL, C1), a lone surrogate, or
 *   white space of any script at either end.
 */
export function checkText(text: string): string {
  // Nearly every text that is signed; saves the three looks below.
  if (PLAIN_TEXT.test(text)) return text
  if (/\p{Cc}/u.test(text)) throw unusable('a control character')
  // With the u flag a surrogate only matches when it is alone.
  if (/\p{Cs}/u.test(text)) throw unusable('a lone surrogate')
  if (text.trim() !== text) throw unusable('blanks at an end')
  return text
}

/**
 * Applies the header's transforms in their order.
 *
 * `lower` changes ASCII letters alone: by Unicode's rules the Kelvin sign would become `k`, and one user
 * another. `local_part` is what stands before the `@`; text without one is kept.
 *
 * @throws RejectedError `ERR_ASSERTION_CLAIM` for an address with several `@` or nothing before it.
 */
export function transform(text: string, transforms: readonly Transform[]): string {
  let result = text
  for (const name of transforms) {
    result = name === 'lower' ? lowerAscii(result) : localPart(result)
  }
  return result
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function localPart(text: string): string {
  const at = text.indexOf('@')
  if (at === -1) return text
  if (at === 0 || text.includes('@', at + 1)) throw unusable('not one e-mail address')
  // What stood inside may now stand at the end.
  return checkText(text.slice(0, at))
}
