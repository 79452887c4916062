import { MODES } from '../config.ts'
import { dialAddress } from '../hosts.ts'
import { boolean, choice, filePath, list } from '../kinds.ts'
import { exactName } from '../names.ts'
import { duration } from '../quantities.ts'
import type { Rows } from '../setting.ts'
import { keySetUrl, route, upstreamAddress } from '../urls.ts'

/** Where the app is, and whose assertions count. */
export const TRUST = {
  config: {
    kind: filePath,
    fallback: undefined,
    summary: 'The YAML file with settings. Only as flag or in the environment, not in the file.',
  },
  mode: {
    kind: choice(MODES),
    fallback: 'proxy',
    summary:
      '`forward-auth`: forward nothing and tell another proxy (nginx, Traefik, Caddy, Envoy) whether a request may pass, with the identity headers in the answer. What that proxy must be set to is in docs/forward-auth.md.',
  },
  upstream: {
    kind: upstreamAddress,
    fallback: undefined,
    example: 'http://127.0.0.1:3000',
    otherwise: 'required',
    summary:
      'The app: one origin without a path, `http://host:port`, `https://host:port` or `unix:/path`.',
  },
  route: {
    kind: list(route),
    fallback: undefined,
    example: 'https://app.example.com',
    summary:
      "The `from` URL of the Pomerium route, such as `https://app.example.com`; several are a list. Gives `issuer`, `audience` and (the first one) `jwks_uri`. Pomerium's wildcard routes (`https://*.example.com`) need `jwks_uri` or `jwks_file`.",
  },
  issuer: {
    kind: list(exactName),
    fallback: undefined,
    example: 'app.example.com',
    otherwise: 'from `route`',
    summary:
      'Accepted `iss` claims, compared exactly; replaces those from `route`, which are `app.example.com` and `https://app.example.com/`. A leading `*.` stands for one or more labels.',
  },
  audience: {
    kind: list(exactName),
    fallback: undefined,
    example: 'app.example.com',
    otherwise: 'from `route`',
    summary:
      'Accepted `aud` claims, compared exactly; replaces those from `route`, which are host names without port. A leading `*.` stands for one or more labels.',
  },
  jwks_uri: {
    kind: keySetUrl,
    fallback: undefined,
    example: 'https://app.example.com/.well-known/pomerium/jwks.json',
    otherwise: 'from `route`',
    summary:
      'The URL of the key set; from `route` it is `https://app.example.com/.well-known/pomerium/jwks.json`. `http:` only to a loopback or single-label host, or with `unsafe_http_jwks`.',
  },
  unsafe_http_jwks: {
    kind: boolean,
    fallback: 'false',
    summary:
      'Allow an `http:` `jwks_uri` to any host. Whoever can change that traffic can sign in as anybody.',
  },
  jwks_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/jwks.json',
    summary:
      'Instead of `jwks_uri`: a file with a JWK Set (JSON), a PEM public key or an X.509 certificate. Read again when it changes.',
  },
  jwks_connect: {
    kind: dialAddress,
    fallback: undefined,
    example: 'pomerium:443',
    summary:
      'Dial this `host:port` for `jwks_uri` and keep its Host and TLS name: for a Pomerium that is reached by its container name.',
  },
  jwks_ca_file: {
    kind: list(filePath),
    fallback: undefined,
    example: '/etc/claimgate/ca.pem',
    summary: 'PEM files with further certificate authorities for the key set.',
  },
  jwks_client_cert_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/client.pem',
    summary: 'PEM client certificate for the key set; needs `jwks_client_key_file`.',
  },
  jwks_client_key_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/client-key.pem',
    summary: 'PEM private key of `jwks_client_cert_file`.',
  },
  jwks_timeout: {
    kind: duration('100ms', '60s'),
    fallback: '5s',
    summary: 'Longest time for one fetch of the key set, 100ms to 60s.',
  },
  jwks_refresh: {
    kind: duration('1s', '24h'),
    fallback: '60s',
    summary: 'Time between fetches when the answer names none, 1s to 24h.',
  },
  jwks_cooldown: {
    kind: duration('100ms', '10m'),
    fallback: '10s',
    summary:
      'Least time between fetches forced by an unknown key ID, 100ms to 10m. Fetches in a row that do not bring the key double it, up to 30s.',
  },
  jwks_max_stale: {
    kind: duration('0s', '576h'),
    fallback: '24h',
    summary: 'How long the last good keys serve while the key set cannot be fetched, 0s to 576h.',
  },
} as const satisfies Rows<
  | 'config'
  | 'mode'
  | 'upstream'
  | 'route'
  | 'issuer'
  | 'audience'
  | `jwks_${'uri' | 'file' | 'connect' | 'ca_file' | 'client_cert_file' | 'client_key_file'}`
  | `jwks_${'timeout' | 'refresh' | 'cooldown' | 'max_stale'}`
  | 'unsafe_http_jwks'
>
