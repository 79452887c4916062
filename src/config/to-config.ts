import { foldName } from '../identity/fold.ts'
import { AUDIT_FIELDS, type Config, type KeySetSource, type ServerTlsFiles } from './config.ts'
import { audiences, identityHeadersOf, issuers, keySetUri } from './derive.ts'
import type { Draft } from './draft.ts'
import { PRESETS } from './presets.ts'
import type { SettingName } from './setting.ts'
import type { Values } from './values.ts'

/**
 * Puts the settings of a draft without problems into the shape the program uses.
 *
 * @throws TypeError when a setting is absent that such a draft always has
 */
export function toConfig(draft: Draft): Config {
  return {
    ...trust(draft),
    ...identity(draft),
    ...traffic(draft),
    listen: always(draft, 'listen'),
    adminListen: draft.get('admin_listen'),
    tls: serverTls(draft),
    drainDelay: always(draft, 'drain_delay'),
    drainTimeout: always(draft, 'drain_timeout'),
    logLevel: always(draft, 'log_level'),
    logFormat: always(draft, 'log_format'),
    logEmail: always(draft, 'log_email'),
    auditLog: draft.get('audit_log'),
    auditFields: draft.get('audit_fields') ?? AUDIT_FIELDS.filter((field) => field !== 'groups'),
    tracing: always(draft, 'tracing'),
    errorDetail: always(draft, 'error_detail'),
    statusPath: isForwardAuth(draft) ? undefined : draft.get('status_path'),
    reportOnly: always(draft, 'report_only'),
  }
}

const trust = (draft: Draft) => ({
  issuers: issuers(draft).value,
  audiences: audiences(draft).value,
  keySet: keySet(draft),
  algorithms: always(draft, 'algorithms'),
  clockSkew: always(draft, 'clock_skew'),
  maxAssertionAge: draft.get('max_assertion_age'),
})

const identity = (draft: Draft) => ({
  identityHeaders: identityHeadersOf(draft).value,
  reservedHeaders: RESERVED_HEADERS,
  assertionHeader: always(draft, 'assertion_header'),
  forwardAssertion: always(draft, 'forward_assertion'),
  allowAnonymous: always(draft, 'allow_anonymous'),
  publicPaths: draft.get('public_paths') ?? [],
  corsPreflight: always(draft, 'cors_preflight'),
  allow: draft.get('allow'),
  replayGuard: always(draft, 'replay_guard'),
})

const traffic = (draft: Draft) => ({
  upstream: isForwardAuth(draft) ? undefined : always(draft, 'upstream'),
  preserveHost: always(draft, 'preserve_host'),
  upstreamTls: {
    caFile: draft.get('upstream_ca_file'),
    serverName: draft.get('upstream_server_name'),
    clientCertFile: draft.get('upstream_client_cert_file'),
    clientKeyFile: draft.get('upstream_client_key_file'),
  },
  upstreamConnectTimeout: always(draft, 'upstream_connect_timeout'),
  upstreamResponseTimeout: draft.get('upstream_response_timeout'),
  headerTimeout: always(draft, 'header_timeout'),
  bodyIdleTimeout: always(draft, 'body_idle_timeout'),
  keepAliveTimeout: always(draft, 'keep_alive_timeout'),
  maxHeaderSize: always(draft, 'max_header_size'),
  maxConnections: always(draft, 'max_connections'),
  tunnelMaxAge: draft.get('tunnel_max_age'),
})

function serverTls(draft: Draft): ServerTlsFiles | undefined {
  const [certFile, keyFile] = [draft.get('tls_cert_file'), draft.get('tls_key_file')]
  if (certFile === undefined || keyFile === undefined) return undefined
  return { certFile, keyFile, clientCaFile: draft.get('tls_client_ca_file') }
}

function keySet(draft: Draft): KeySetSource {
  const cooldown = always(draft, 'jwks_cooldown')
  const path = draft.get('jwks_file')
  if (path !== undefined) return { kind: 'file', path, cooldown }
  const { value: uri } = keySetUri(draft)
  if (uri === undefined) throw new TypeError('Cannot use a draft with problems: no key set')
  return {
    kind: 'remote',
    uri,
    connect: draft.get('jwks_connect'),
    caFiles: draft.get('jwks_ca_file') ?? [],
    clientCertFile: draft.get('jwks_client_cert_file'),
    clientKeyFile: draft.get('jwks_client_key_file'),
    timeout: always(draft, 'jwks_timeout'),
    refresh: always(draft, 'jwks_refresh'),
    cooldown,
    maxStale: always(draft, 'jwks_max_stale'),
  }
}

/**
 * The names of every preset, not of the chosen one alone: an app believes its own names whichever preset stands before it,
 * and nobody but claimgate has business setting them.
 */
const RESERVED_HEADERS: readonly string[] = [
  ...new Set(
    Object.values(PRESETS).flatMap(({ headers, reserved }) =>
      [...headers.map(({ header }) => header), ...reserved].map(foldName),
    ),
  ),
]

const isForwardAuth = (draft: Draft): boolean => draft.get('mode') === 'forward-auth'

function always<Name extends SettingName>(draft: Draft, name: Name): NonNullable<Values[Name]> {
  const value = draft.get(name)
  if (value === undefined || value === null)
    throw new TypeError(`Cannot use a draft with problems: no ${name}`)
  return value
}
