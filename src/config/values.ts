import type {
  AllowEntry,
  Bytes,
  CORS_PREFLIGHT,
  Config,
  ERROR_DETAILS,
  IdentityHeader,
  ListenAddress,
  ListenTarget,
  LOG_FORMATS,
  LOG_LEVELS,
  Milliseconds,
  MODES,
  UpstreamAddress,
} from './config.ts'
import type { PresetName } from './presets.ts'
import type { Route } from './urls.ts'

/**
 * The value of each setting after reading and before settings are combined into a {@link Config}. `undefined`: not
 * set and no default, or `off`.
 */
export interface Values {
  readonly config: string | undefined
  readonly mode: (typeof MODES)[number]
  readonly upstream: UpstreamAddress | undefined
  readonly route: readonly Route[] | undefined
  readonly issuer: readonly string[] | undefined
  readonly audience: readonly string[] | undefined
  readonly jwks_uri: URL | undefined
  readonly unsafe_http_jwks: boolean
  readonly jwks_file: string | undefined
  readonly jwks_connect: ListenAddress | undefined
  readonly jwks_ca_file: readonly string[] | undefined
  readonly jwks_client_cert_file: string | undefined
  readonly jwks_client_key_file: string | undefined
  readonly jwks_timeout: Milliseconds
  readonly jwks_refresh: Milliseconds
  readonly jwks_cooldown: Milliseconds
  readonly jwks_max_stale: Milliseconds
  readonly listen: ListenTarget
  readonly admin_listen: ListenTarget | undefined
  readonly preset: PresetName
  readonly identity_headers: readonly IdentityHeader[] | undefined
  readonly assertion_header: string
  readonly forward_assertion: boolean
  readonly algorithms: readonly string[]
  readonly clock_skew: Milliseconds
  readonly max_assertion_age: Milliseconds | undefined
  readonly allow_anonymous: boolean
  readonly public_paths: readonly string[] | undefined
  readonly cors_preflight: (typeof CORS_PREFLIGHT)[number]
  readonly allow: readonly AllowEntry[] | undefined
  readonly replay_guard: Config['replayGuard']
  readonly preserve_host: boolean
  readonly upstream_ca_file: string | undefined
  readonly upstream_server_name: string | undefined
  readonly upstream_client_cert_file: string | undefined
  readonly upstream_client_key_file: string | undefined
  readonly upstream_connect_timeout: Milliseconds
  readonly upstream_response_timeout: Milliseconds | undefined
  readonly header_timeout: Milliseconds
  readonly body_idle_timeout: Milliseconds
  readonly keep_alive_timeout: Milliseconds
  readonly max_header_size: Bytes
  readonly max_connections: number
  readonly tunnel_max_age: Milliseconds | undefined
  readonly drain_delay: Milliseconds
  readonly drain_timeout: Milliseconds
  readonly tls_cert_file: string | undefined
  readonly tls_key_file: string | undefined
  readonly tls_client_ca_file: string | undefined
  readonly log_level: (typeof LOG_LEVELS)[number]
  readonly log_format: (typeof LOG_FORMATS)[number]
  readonly log_email: boolean
  readonly audit_log: string | undefined
  readonly audit_fields: Config['auditFields'] | undefined
  readonly tracing: Config['tracing']
  readonly error_detail: (typeof ERROR_DETAILS)[number]
  readonly status_path: string | undefined
  readonly report_only: Config['reportOnly']
}
