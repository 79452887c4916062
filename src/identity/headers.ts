import { type Claims, isObject, readClaim } from '../assertion/claims.ts'
import type { IdentityHeader } from '../config/config.ts'
import { encode } from './encode.ts'
import { createGlobs } from './glob.ts'
import { checkText, numberText, scalarText, transform, unusable } from './text.ts'

/** Header lines to add to a request that lost all fields of these names before. */
export interface IdentityLines {
  /** Name, value, name, value…; a value's characters are its bytes (`latin1`). */
  readonly lines: readonly string[]
  /** List items left out because they contain the separator. */
  readonly dropped: number
}

/**
 * Derives the identity headers from verified claims.
 *
 * @throws RejectedError `ERR_ASSERTION_CLAIM` when a mapped claim cannot be sent exactly as it is.
 */
export type IdentityHeaders = (claims: Claims) => IdentityLines

/** The values of one header, not yet encoded: none, one, or with `repeat` several. */
interface Values {
  readonly values: readonly string[]
  readonly dropped: number
}

const NOTHING: Values = { values: [], dropped: 0 }

/**
 * Makes the function that turns claims into header lines, in the order of `headers`.
 *
 * Of a header's claims the first that is not empty is sent; absent, `null`, `""`, and lists of nothing
 * else are empty, and without any there is no line. Items of a list that are `null` or `""` are left out. One name has one line,
 * unless its separator is `repeat`.
 */
export function createIdentityHeaders(headers: readonly IdentityHeader[]): IdentityHeaders {
  const rows = headers.map((header) => ({ header, derive: createDerivation(header) }))
  return (claims) => {
    const lines: string[] = []
    let dropped = 0
    for (const { header, derive } of rows) {
      const result = derive(firstClaim(claims, header.claims))
      dropped += result.dropped
      for (const value of result.values) lines.push(header.header, encodeValue(value, header))
    }
    return { lines, dropped }
  }
}

function firstClaim(claims: Claims, names: readonly string[]): unknown {
  for (const name of names) {
    const value = readClaim(claims, name)
    if (!isEmpty(value)) return value
  }
  return undefined
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isEmptyItem) : isEmptyItem(value)
}

function isEmptyItem(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

function createDerivation(header: IdentityHeader): (claim: unknown) => Values {
  const derive = header.separator === 'json' ? createJson(header) : createText(header)
  return (claim) => (claim === undefined ? NOTHING : derive(claim))
}

function createText(header: IdentityHeader): (claim: unknown) => Values {
  const isWanted = createGlobs(header.only)
  const { separator, delimiter } = joining(header)
  const textOf = (value: unknown): string | undefined => {
    const text = scalarText(value)
    return isWanted(text) ? transform(text, header.transforms) : undefined
  }
  const ofList = (claim: readonly unknown[]): Values => {
    const { values, dropped } = listTexts(claim, textOf, delimiter)
    const isOne = separator !== 'repeat' && values.length > 0
    return { values: isOne ? [values.join(delimiter)] : values, dropped }
  }
  return (claim) => {
    // Only a list is filtered for the separator: a name such as "Doe, Jane" is one value.
    if (Array.isArray(claim)) return ofList(claim)
    const text = textOf(claim)
    return text === undefined ? NOTHING : { values: [text], dropped: 0 }
  }
}

/** The texts of a list, less those that hold the delimiter, which would read as two. */
function listTexts(
  claim: readonly unknown[],
  textOf: (value: unknown) => string | undefined,
  delimiter: string,
): Values {
  const values: string[] = []
  let dropped = 0
  for (const value of claim) {
    const text = isEmptyItem(value) ? undefined : textOf(value)
    if (text?.includes(delimiter)) dropped += 1
    else if (text !== undefined) values.push(text)
  }
  return { values, dropped }
}

function joining({ separator }: IdentityHeader) {
  // Lines of one name mean the same as one line joined by commas (RFC 9110 section 5.2).
  const delimiter = separator === 'repeat' ? ',' : separator === 'space' ? ' ' : separator
  return { separator, delimiter }
}

function createJson(header: IdentityHeader): (claim: unknown) => Values {
  const isWanted = createGlobs(header.only)
  const isKept = (item: unknown) =>
    header.only.length === 0 || (typeof item === 'string' && isWanted(item))
  const change = (item: unknown) =>
    typeof item === 'string' ? transform(item, header.transforms) : item
  return (claim) => {
    checkJson(claim)
    if (!Array.isArray(claim)) return isKept(claim) ? json(change(claim)) : NOTHING
    const items = claim.filter(isKept).map(change)
    return items.length === 0 ? NOTHING : json(items)
  }
}

function json(value: unknown): Values {
  return { values: [JSON.stringify(value)], dropped: 0 }
}

function checkJson(value: unknown): void {
  if (typeof value === 'string') checkText(value)
  if (typeof value === 'number') numberText(value)
  if (Array.isArray(value)) for (const item of value) checkJson(item)
  if (!isObject(value)) return
  for (const [name, member] of Object.entries(value)) {
    checkText(name)
    checkJson(member)
  }
}

function encodeValue(value: string, header: IdentityHeader): string {
  const text =
    header.separator === 'json' && header.encoding === 'ascii' ? escapeNonAscii(value) : value
  const bytes = encode(text, header.encoding)
  if (bytes === undefined) throw unusable('not ASCII')
  if (header.maxBytes !== undefined && bytes.length > header.maxBytes) throw unusable('too long')
  return bytes
}

// JSON has a way of its own to say everything in ASCII.
function escapeNonAscii(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
