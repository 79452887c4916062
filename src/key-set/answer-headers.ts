import type { IncomingHttpHeaders } from 'node:http'
import type { Milliseconds } from '../config/config.ts'

const MAX_AGE = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,10})"?\s*(?:,|$)/i
const FORBIDS_KEEPING = /(?:^|,)\s*(?:no-store|no-cache)\s*(?:,|$)/i
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,256}"$/

/** How long the answer may be kept (RFC 9111 §5.2.2); `undefined` when it does not say. */
export function readMaxAge(headers: IncomingHttpHeaders): Milliseconds | undefined {
  const control = headers['cache-control'] ?? ''
  if (FORBIDS_KEEPING.test(control)) return 0
  const seconds = MAX_AGE.exec(control)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

/** A well-formed entity tag of at most 256 characters (RFC 9110 §8.8.3); it is sent back as it came. */
export function readEtag({ etag }: IncomingHttpHeaders): string | undefined {
  return etag !== undefined && ETAG.test(etag) ? etag : undefined
}

/** `Retry-After` in its form with seconds (RFC 9110 §10.2.3). The form with a date needs a wall clock and is ignored. */
export function readRetryAfter(headers: IncomingHttpHeaders): Milliseconds | undefined {
  const value = headers['retry-after'] ?? ''
  return /^\d{1,9}$/.test(value) ? Number(value) * 1000 : undefined
}
