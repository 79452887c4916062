import type { Milliseconds } from '../config/config.ts'
import type { LoadFailure } from './types.ts'

interface Wording {
  readonly what: string
  /** The setting that may help. */
  readonly hint?: string
}

const UNKNOWN_CA: Wording = {
  what: 'its certificate is not signed by a known CA',
  hint: 'give the CA in jwks_ca_file',
}
const UNKNOWN_NAME: Wording = {
  what: 'the name cannot be resolved',
  hint: 'check jwks_uri, or give the address to dial in jwks_connect',
}
const UNREACHABLE: Wording = {
  what: 'the address cannot be reached',
  hint: 'check jwks_uri, or give the address to dial in jwks_connect',
}
const CLIENT_CERTIFICATE: Wording = {
  what: 'the endpoint refuses our client certificate, or asks for one',
  hint: 'set jwks_client_cert_file and jwks_client_key_file',
}
const NOT_TLS: Wording = {
  what: 'TLS cannot be agreed',
  hint: 'check the scheme and port of jwks_uri and jwks_connect',
}
const NOT_HTTP: Wording = {
  what: 'the answer is not HTTP',
  hint: 'check the scheme and port of jwks_uri and jwks_connect',
}
const BROKEN: Wording = { what: 'the connection broke' }

/** Codes of Node, OpenSSL and exchange.ts, in words. */
const WORDINGS: ReadonlyMap<string, Wording> = new Map([
  ['TIMEOUT', { what: 'no complete answer in time', hint: 'see jwks_timeout' }],
  ['TOO_LARGE', { what: 'the answer is larger than 1 MiB' }],
  ['ENCODED', { what: 'the answer has a Content-Encoding, which is not accepted' }],
  ['CUT', { what: 'the answer ended early' }],
  ['CLOSED', { what: 'stopped' }],
  ['ECONNREFUSED', { ...UNREACHABLE, what: 'the connection is refused' }],
  ['EHOSTUNREACH', UNREACHABLE],
  ['ENETUNREACH', UNREACHABLE],
  ['ETIMEDOUT', UNREACHABLE],
  ['ECONNRESET', BROKEN],
  ['EPIPE', BROKEN],
  ['ENOTFOUND', UNKNOWN_NAME],
  ['EAI_AGAIN', UNKNOWN_NAME],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNKNOWN_CA],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNKNOWN_CA],
  ['UNABLE_TO_GET_ISSUER_CERT', UNKNOWN_CA],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNKNOWN_CA],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNKNOWN_CA],
  ['CERT_SIGNATURE_FAILURE', UNKNOWN_CA],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    {
      what: 'its certificate is for another name',
      hint: 'put the name it is for in jwks_uri, and the address to dial in jwks_connect',
    },
  ],
  ['CERT_HAS_EXPIRED', { what: 'its certificate has expired' }],
  ['CERT_NOT_YET_VALID', { what: 'its certificate is not valid yet', hint: 'check the clock' }],
])

/** Names of code families: OpenSSL and the HTTP parser have too many members to list. */
const FAMILIES: readonly (readonly [RegExp, Wording])[] = [
  [/^ERR_SSL_.*CERTIFICATE/, CLIENT_CERTIFICATE],
  [/^(ERR_SSL_|EPROTO$)/, NOT_TLS],
  [/^HPE_/, NOT_HTTP],
]

const CODE = /^[A-Z][A-Z0-9_]{0,63}$/

/** Puts an error of the network into words by its `code` alone: the message of an error may quote the answer. */
export function describeNetworkFailure(error: unknown, endpoint: string): LoadFailure {
  const code = readCode(error)
  const wording =
    WORDINGS.get(code) ?? FAMILIES.find(([family]) => family.test(code))?.[1] ?? other(code)
  const hint = wording.hint === undefined ? '' : `; ${wording.hint}`
  return {
    kind: 'failed',
    reason: `${endpoint}: ${wording.what}${hint}`,
    summary: wording.what,
    retryAfter: undefined,
  }
}

const STATUS_HINTS: ReadonlyMap<number, string> = new Map([
  [401, 'the key set must be readable without a login'],
  [403, 'the key set must be readable without a login'],
  [404, 'check the path of jwks_uri'],
  [421, 'check the host of jwks_uri'],
])

/** Puts a status other than 200 and 304 into words. A redirect is refused: it would let another origin name the keys. */
export function describeStatusFailure(
  status: number,
  retryAfter: Milliseconds | undefined,
  endpoint: string,
): LoadFailure {
  const redirect = status >= 300 && status < 400
  const what = redirect
    ? `a redirect (status ${status}), which is not followed`
    : `status ${status}`
  const found = redirect ? 'give the final address in jwks_uri' : STATUS_HINTS.get(status)
  const hint = found === undefined ? '' : `; ${found}`
  return {
    kind: 'failed',
    reason: `${endpoint}: the answer is ${what}${hint}`,
    summary: `the answer is ${what}`,
    retryAfter,
  }
}

function readCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' && CODE.test(error.code) ? error.code : ''
}

function other(code: string): Wording {
  return { what: code === '' ? 'the request failed' : `the request failed (${code})` }
}
