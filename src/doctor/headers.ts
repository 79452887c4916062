import type { Bytes, Config } from '../config/config.ts'
import { createIdentityHeaders } from '../identity/headers.ts'
import { type Finding, findingsAbout } from './finding.ts'

const tell = findingsAbout('headers')

/** Pomerium's own limit for a head (Envoy's `max_request_headers_kb`). */
const POMERIUM_LIMIT: Bytes = 128 * 1024

/** Where many servers stop: nginx and Tomcat at 8 KiB for all fields, gunicorn at 8190 bytes for one. */
const APP_LIMIT: Bytes = 8 * 1024

/** People have fewer; those who have more are not found out by looking at settings. */
const GROUPS = 200

/** An assertion of that many groups, whose items are base64 there: 86 bytes each, and 700 for the rest. */
const ASSERTION: Bytes = 700 + GROUPS * 86

const USER = {
  sub: '11111111-2222-4333-8444-555555555555',
  user: '11111111-2222-4333-8444-555555555555',
  email: 'firstname.lastname@department.example.com',
  name: 'Firstname Lastname',
  preferred_username: 'firstname.lastname',
  groups: Array.from({ length: GROUPS }, (_, i) => `11111111-2222-4333-8444-${10 ** 11 + i}`),
}

type Sources = Pick<Config, 'identityHeaders' | 'maxHeaderSize' | 'forwardAssertion'>

/** Whether what Pomerium sends fits in here, and what is sent on fits into an app. Does no I/O. */
export function examineHeaders(config: Sources): readonly Finding[] {
  return [...examineRoom(config), examineSize(config)]
}

function* examineRoom({ maxHeaderSize }: Sources): Generator<Finding> {
  if (maxHeaderSize < POMERIUM_LIMIT)
    yield tell.warning(
      `Pomerium passes heads of up to 128 KiB on, and those above ${kib(maxHeaderSize)} get 431`,
      'max_header_size, 128KiB',
    )
}

function examineSize({ identityHeaders, forwardAssertion }: Sources): Finding {
  const size = sizeOf(identityHeaders) + (forwardAssertion ? ASSERTION : 0)
  const message = `for a user with ${GROUPS} groups they take about ${kib(size)}`
  if (Number.isNaN(size))
    return tell.warning(`a user with ${GROUPS} groups is refused`, 'max_bytes in identity_headers')
  if (size <= APP_LIMIT) return tell.ok(message)
  return tell.warning(
    `${message}, and many apps stop at 8 KiB`,
    forwardAssertion
      ? 'forward_assertion, false; or the header limit of the app'
      : 'only in identity_headers, for fewer groups; or the header limit of the app',
  )
}

/** NaN: the claims of such a user cannot be sent. */
function sizeOf(headers: Config['identityHeaders']): Bytes {
  try {
    const { lines } = createIdentityHeaders(headers)(USER)
    return lines.reduce((sum, part) => sum + part.length + 2, 0)
  } catch {
    return Number.NaN
  }
}

const kib = (size: Bytes): string => `${Math.round(size / 102.4) / 10} KiB`
