import type { UpstreamAddress } from './config.ts'
import { isHostName } from './hosts.ts'
import { type Kind, type Reading, scalar } from './kinds.ts'

/** A Pomerium route's `from`. */
export interface Route {
  /** Without port; `*.example.com` for a wildcard route. */
  readonly hostname: string
  /** Pomerium serves its key set on every route host. Undefined for a wildcard route: it names no host. */
  readonly jwksUri: URL | undefined
}

const UPSTREAM =
  'be one origin without user, path, query or fragment: http://host:port, https://host:port or unix:/path'

/** The longest path of a Unix socket: 108 bytes with the closing NUL. */
const SOCKET_PATH_LIMIT = 107

/** Where the app is; default ports 80 and 443. */
export const upstreamAddress: Kind<UpstreamAddress> = scalar(
  'origin',
  { type: 'string', pattern: '^(https?://|unix:/)' },
  (text) => (text.startsWith('unix:') ? unixOrigin(text.slice('unix:'.length)) : origin(text)),
)

function unixOrigin(text: string): Reading<UpstreamAddress> {
  const reading = socketPath(text)
  return 'must' in reading ? reading : { value: { protocol: 'unix:', path: reading.value.path } }
}

/** Absolute, and short enough for the system. */
export function socketPath(path: string): Reading<{ readonly path: string }> {
  if (!/^\/[^/]/.test(path)) return { must: UPSTREAM }
  return Buffer.byteLength(path) > SOCKET_PATH_LIMIT
    ? { must: `be a socket path of at most ${SOCKET_PATH_LIMIT} bytes` }
    : { value: { path } }
}

function origin(text: string): Reading<UpstreamAddress> {
  const url = parse(text, /^https?:\/\/[^/?#\\@%]+\/?$/)
  if (url === undefined) return { must: UPSTREAM }
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
  const port = url.port === '' ? { 'http:': 80, 'https:': 443 }[protocol] : Number(url.port)
  return { value: { protocol, hostname: withoutBrackets(url.hostname), port } }
}

const ROUTE =
  'be the `from` URL of a Pomerium route, such as https://app.example.com or https://*.example.com'

/** `https://host`, where the host may begin with `*.`. */
export const route: Kind<Route> = scalar(
  'https URL',
  { type: 'string', pattern: '^https://' },
  (text): Reading<Route> => {
    const isWildcard = text.startsWith('https://*.')
    const url = parse(text.replace('//*.', '//'), /^https:\/\/[^/?#\\@%]+\/?$/)
    if (url === undefined || !isHostName(url.hostname)) return { must: ROUTE }
    return isWildcard
      ? { value: { hostname: `*.${url.hostname}`, jwksUri: undefined } }
      : { value: { hostname: url.hostname, jwksUri: new URL(JWKS_PATH, url) } }
  },
)

const JWKS_PATH = '/.well-known/pomerium/jwks.json'

/** `https:` or `http:`; whether `http:` is allowed depends on other settings. */
export const keySetUrl: Kind<URL> = scalar(
  'URL',
  { type: 'string', pattern: '^https?://' },
  (text) => {
    const url = parse(text, /^https?:\/\/[^/?#\\@]+(\/[^#\\]*)?(\?[^#\\]*)?$/)
    return url === undefined
      ? {
          must: 'be an https URL without user and fragment, such as https://app.example.com/.well-known/pomerium/jwks.json',
        }
      : { value: url }
  },
)

/** The host of a URL as addresses are written elsewhere: IPv6 without brackets. */
export const withoutBrackets = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1')

/** The URL parser repairs much (`http:host`, back slashes, white space), so the text must fit a pattern first. */
function parse(text: string, shape: RegExp): URL | undefined {
  const url = shape.test(text) && !/\s/.test(text) ? URL.parse(text) : null
  if (url === null || url.port === '0') return undefined
  const host = withoutBrackets(url.hostname)
  return host !== url.hostname || isHostName(host) ? url : undefined
}
