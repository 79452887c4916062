import { foldName } from '../identity/fold.ts'
import { type Kind, type Reading, scalar } from './kinds.ts'

/** Header fields that frame, route or secure a request; a claim in one of them would change what the request is. */
const NOT_FOR_IDENTITY = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'date',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'origin',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
])
const NOT_FOR_IDENTITY_PREFIX = /^(proxy|sec|access-control|if)-/

const ASSERTION_HEADERS = new Set(['x-pomerium-jwt-assertion', 'x-pomerium-jwt-assertion-for'])

/** RFC 9110 section 5.6.2, with a bound. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

/** What is wrong with `name` as an identity header, going on from "must"; undefined when nothing is. */
export function identityHeaderFault(name: string): string | undefined {
  if (!TOKEN.test(name) || !/[0-9A-Za-z]/.test(name))
    return 'use header names of letters, digits and -'
  const folded = foldName(name)
  if (ASSERTION_HEADERS.has(folded)) return 'not put a claim where assertions are'
  return NOT_FOR_IDENTITY.has(folded) || NOT_FOR_IDENTITY_PREFIX.test(folded)
    ? 'not name a header that frames, routes or secures a request'
    : undefined
}

/** Where the assertion is: any header that identity headers may use, the usual one, or `Authorization`. */
export const assertionHeader: Kind<string> = scalar(
  'header name',
  { type: 'string', minLength: 1 },
  (text): Reading<string> => {
    const folded = foldName(text)
    if (folded === 'authorization' || ASSERTION_HEADERS.has(folded)) return { value: text }
    const must = identityHeaderFault(text)
    return must === undefined ? { value: text } : { must }
  },
)
