import t from 'tap'
import type { Config } from '../../src/config/config.ts'
import { needsRestart } from '../../src/config/restart.ts'
import { testConfig } from '../helpers/claimgate.ts'

const config = testConfig(1, '/jwks.json')
const tls = { certFile: '/c', keyFile: '/k', clientCaFile: undefined }

const ROWS: readonly (readonly [
  name: string,
  from: Partial<Config>,
  to: Partial<Config>,
  string[],
])[] = [
  ['nothing', {}, {}, []],
  ['listen', {}, { listen: { host: '127.0.0.1', port: 1 } }, ['listen']],
  ['listen, to a Unix socket', {}, { listen: { path: '/a' } }, ['listen']],
  ['admin_listen off', {}, { adminListen: undefined }, ['admin_listen']],
  ['TLS on', {}, { tls }, ['tls_cert_file']],
  ['TLS off', { tls }, {}, ['tls_cert_file']],
  ['other files of TLS', { tls }, { tls: { ...tls, certFile: '/d', keyFile: '/l' } }, []],
  [
    'client certificates on',
    { tls },
    { tls: { ...tls, clientCaFile: '/a' } },
    ['tls_client_ca_file'],
  ],
  [
    'another client authority',
    { tls: { ...tls, clientCaFile: '/a' } },
    { tls: { ...tls, clientCaFile: '/b' } },
    [],
  ],
  ['mode', {}, { upstream: undefined }, ['mode']],
  ['log_format', {}, { logFormat: 'pretty' }, ['log_format']],
  ['audit_log', {}, { auditLog: 'stdout' }, ['audit_log']],
  ['audit_fields', {}, { auditFields: ['sub'] }, ['audit_fields']],
  ['tracing', {}, { tracing: 'on' }, ['tracing']],
  ['clock_skew', {}, { clockSkew: 1 }, []],
  [
    'clock_skew under a replay guard',
    { replayGuard: 'on' },
    { replayGuard: 'on', clockSkew: 1 },
    ['clock_skew'],
  ],
  [
    'all at once',
    {},
    { listen: { path: '/a' }, tls, logFormat: 'pretty' },
    ['listen', 'tls_cert_file', 'log_format'],
  ],
  [
    'what can change',
    {},
    {
      upstream: { protocol: 'unix:', path: '/a' },
      issuers: ['a'],
      maxConnections: 1,
      logLevel: 'warn',
      statusPath: undefined,
    },
    [],
  ],
]

for (const [name, from, to, wanted] of ROWS)
  t.test(`${name}: ${wanted.join(', ') || 'no restart'}`, async (t) => {
    t.strictSame(needsRestart({ ...config, ...from }, { ...config, ...to }), wanted)
  })
