import t from 'tap'
import type { Config } from '../../src/config/config.ts'
import { AUDIT_FIELDS } from '../../src/config/config.ts'
import { readConfig } from '../../src/config/read.ts'
import { files, GOOD, linesOf, readEnvironment, readFileText } from '../helpers/settings.ts'

t.test('upstream and route alone give a whole Config with the defaults', async (t) => {
  const { config, warnings } = readEnvironment()
  const { identityHeaders, reservedHeaders, ...rest } = config
  const expected: Omit<Config, 'identityHeaders' | 'reservedHeaders'> = {
    upstream: { protocol: 'http:', hostname: '127.0.0.1', port: 3000 },
    issuers: ['app.example.com', 'https://app.example.com/'],
    audiences: ['app.example.com'],
    keySet: {
      kind: 'remote',
      uri: new URL('https://app.example.com/.well-known/pomerium/jwks.json'),
      connect: undefined,
      caFiles: [],
      clientCertFile: undefined,
      clientKeyFile: undefined,
      timeout: 5_000,
      refresh: 60_000,
      cooldown: 10_000,
      maxStale: 86_400_000,
    },
    listen: { host: '0.0.0.0', port: 8000 },
    adminListen: { host: '0.0.0.0', port: 8001 },
    tls: undefined,
    assertionHeader: 'X-Pomerium-Jwt-Assertion',
    forwardAssertion: false,
    algorithms: ['ES256'],
    clockSkew: 60_000,
    maxAssertionAge: undefined,
    allowAnonymous: false,
    publicPaths: [],
    corsPreflight: 'verify',
    allow: undefined,
    replayGuard: 'off',
    preserveHost: true,
    upstreamTls: {
      caFile: undefined,
      serverName: undefined,
      clientCertFile: undefined,
      clientKeyFile: undefined,
    },
    upstreamConnectTimeout: 5_000,
    upstreamResponseTimeout: 300_000,
    headerTimeout: 15_000,
    bodyIdleTimeout: 60_000,
    keepAliveTimeout: 3_900_000,
    maxHeaderSize: 131_072,
    maxConnections: 10_000,
    tunnelMaxAge: undefined,
    drainDelay: 5_000,
    drainTimeout: 25_000,
    logLevel: 'info',
    logFormat: 'json',
    errorDetail: 'code',
    statusPath: '/.claimgate',
    logEmail: true,
    tracing: 'off',
    auditLog: undefined,
    auditFields: AUDIT_FIELDS.filter((field) => field !== 'groups'),
    reportOnly: 'off',
  }
  t.strictSame(rest, expected)
  t.strictSame(
    identityHeaders.map(({ header, claims }) => [header, claims]),
    [
      ['X-Pomerium-Claim-Sub', ['sub']],
      ['X-Pomerium-Claim-User', ['user']],
      ['X-Pomerium-Claim-Email', ['email']],
      ['X-Pomerium-Claim-Name', ['name']],
      ['X-Pomerium-Claim-Groups', ['groups']],
    ],
  )
  t.strictSame(warnings, [])
})

t.test('a flag wins over the environment, that over an alias, that over the file', async (t) => {
  const readFile = files({
    'c.yaml': 'audience: file\nissuer: file\nlog_level: warn\nlog_format: pretty\n',
  })
  const { config, values } = readConfig({
    flags: ['--config=c.yaml', '--audience', 'flag'],
    env: {
      ...GOOD,
      CLAIMGATE_AUDIENCE: 'env',
      EXPECTED_JWT_AUDIENCE: 'alias',
      EXPECTED_JWT_ISSUER: 'alias',
      CLAIMGATE_LOG_LEVEL: 'debug',
      JWKS_ENDPOINT: 'https://keys.example.com/jwks',
      CLAIMGATE_JWKS_URI: 'https://own.example.com/jwks',
    },
    readFile,
  })
  const source = (name: string) => values.find((value) => value.name === name)?.source
  t.strictSame(config.audiences, ['flag'])
  t.equal(source('audience'), 'flag --audience')
  t.strictSame(config.issuers, ['alias'])
  t.equal(source('issuer'), 'env EXPECTED_JWT_ISSUER')
  t.match(config.keySet, { uri: { href: 'https://own.example.com/jwks' } })
  t.equal(config.logLevel, 'debug')
  t.equal(config.logFormat, 'pretty')
  t.equal(source('log_format'), 'c.yaml:4:13')
  t.equal(source('clock_skew'), 'default')
  t.equal(source('config'), 'flag --config')
})

t.test('all problems of all sources come at once', async (t) => {
  const read = () =>
    readConfig({
      flags: ['--config', 'c.yaml', '--clock-skew', '5 parsecs', '--frobnicate=1'],
      env: { CLAIMGATE_RUTE: 'https://app.example.com', CLAIMGATE_LOG_LEVEL: 'loud' },
      readFile: files({ 'c.yaml': 'upstream: http://a\n\nlisten:\n  - 1\ndrain_dealy: 1s\n' }),
    })
  t.strictSame(linesOf(read), [
    'flag --frobnicate: the name must be that of a setting, got "--frobnicate"',
    'env CLAIMGATE_RUTE: the name must be that of a setting (the nearest is CLAIMGATE_ROUTE), got "CLAIMGATE_RUTE"',
    'c.yaml:5:1: the name must be that of a setting (the nearest is drain_delay), got "drain_dealy"',
    'c.yaml:4:3: listen must be one host:port, got a list of 1 item',
    'flag --clock-skew: clock_skew must be a duration from 0s to 5m, a whole number and its unit (500ms, 60s, 10m, 24h), got "5 parsecs"',
    'env CLAIMGATE_LOG_LEVEL: log_level must be one of: fatal error warn info debug trace silent, got "loud"',
    'not set: issuer must be set, or route, such as https://app.example.com, got nothing',
    'not set: audience must be set, or route, such as https://app.example.com, got nothing',
    'not set: jwks_uri must be set, or route or jwks_file, got nothing',
  ])
})

t.test('a file can hold every form', async (t) => {
  const { config } = readFileText(`
# comment
upstream: "unix:/run/app.sock"
route: [https://a.example.com, https://b.example.com:8443/]
admin_listen: off
forward_assertion: true
max_connections: 5
public_paths:
  - /healthz
`)
  t.strictSame(config.upstream, { protocol: 'unix:', path: '/run/app.sock' })
  t.strictSame(config.audiences, ['a.example.com', 'b.example.com'])
  t.equal(config.adminListen, undefined)
  t.equal(config.forwardAssertion, true)
  t.equal(config.maxConnections, 5)
  t.strictSame(config.publicPaths, ['/healthz'])
})

t.test('tunnel_max_age is a duration of at least a second, or off', async (t) => {
  const read = (text: string) => readEnvironment({ CLAIMGATE_TUNNEL_MAX_AGE: text })
  t.equal(read('1h').config.tunnelMaxAge, 3_600_000)
  t.equal(read('576h').config.tunnelMaxAge, 2_073_600_000)
  t.equal(read('off').config.tunnelMaxAge, undefined)
  for (const text of ['0s', '999ms', '577h', '1d', 'never', '60'])
    t.match(
      linesOf(() => read(text)),
      [
        /^env CLAIMGATE_TUNNEL_MAX_AGE: tunnel_max_age must be a duration from 1s to 576h, .*, or off, got/,
      ],
    )
})
