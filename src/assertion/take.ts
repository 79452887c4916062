import { trimBlanks } from '../blanks.ts'
import type { Bytes } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { foldName } from '../identity/fold.ts'

/**
 * The longest assertion that is looked at. Pomerium's grow with the user's groups (1000 groups: 86 KB), and
 * the whole head of a request ends at its own 128 KiB, so this leaves every assertion that can arrive with
 * its request a place, and 8 KiB for the rest of the head.
 */
export const MAX_ASSERTION_SIZE: Bytes = 120 * 1024

const JOINED_BY_COMMA = /^[A-Za-z0-9_.\-, \t]*$/

/**
 * The one assertion of a request, no longer than {@link MAX_ASSERTION_SIZE}. Whether it has the form of one is for
 * `parseCompact` to say.
 *
 * @param rawHeaders Name, value, name, value… as received; a joined or parsed form hides duplicates.
 * @param assertionHeader Its name in any case. Another spelling that folds to the same name is never an
 *   assertion, and next to one it is a duplicate. In `Authorization` the value must be `Bearer`, one space,
 *   the assertion; any other scheme counts as no assertion.
 * @throws RejectedError `ERR_ASSERTION_MISSING`, `_EMPTY`, `_DUPLICATE` (also two joined by a comma) or `_TOO_LARGE`.
 */
export function takeAssertion(rawHeaders: readonly string[], assertionHeader: string): string {
  const value = takeValue(rawHeaders, assertionHeader)
  const isBearer = assertionHeader.toLowerCase() === 'authorization'
  const assertion = isBearer ? withoutScheme(value) : value
  if (assertion === '') throw new RejectedError('ERR_ASSERTION_EMPTY')
  if (assertion.length > MAX_ASSERTION_SIZE) throw new RejectedError('ERR_ASSERTION_TOO_LARGE')
  // A compact JWS holds no comma: this is two header lines joined on the way, or a mapping made twice.
  if (assertion.includes(',') && JOINED_BY_COMMA.test(assertion)) {
    throw new RejectedError('ERR_ASSERTION_DUPLICATE', { reason: 'joined by a comma' })
  }
  return assertion
}

function takeValue(rawHeaders: readonly string[], assertionHeader: string): string {
  const wanted = foldName(assertionHeader)
  let found: string | undefined
  let spellings = 0
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    // Folding keeps the length, so most names are settled by it.
    if (name.length !== wanted.length || foldName(name) !== wanted) continue
    spellings += 1
    if (name.toLowerCase() === assertionHeader.toLowerCase()) found = rawHeaders[i + 1] ?? ''
  }
  if (found === undefined) throw new RejectedError('ERR_ASSERTION_MISSING')
  if (spellings > 1) throw new RejectedError('ERR_ASSERTION_DUPLICATE')
  return trimBlanks(found)
}

function withoutScheme(value: string): string {
  const scheme = value.slice(0, 6).toLowerCase()
  if (value !== '' && scheme !== 'bearer') throw new RejectedError('ERR_ASSERTION_MISSING')
  if (value.length <= 6) return ''
  if (value[6] !== ' ') throw new RejectedError('ERR_ASSERTION_MISSING')
  return value.slice(7)
}
