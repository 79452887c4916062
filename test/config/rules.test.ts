import t from 'tap'
import { linesOf, readEnvironment } from '../helpers/settings.ts'

type Env = Record<string, string | undefined>
const prefixed = (settings: Env) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`CLAIMGATE_${name.toUpperCase()}`, value]),
  )
const lines = (settings: Env) => linesOf(() => readEnvironment(prefixed(settings)))
const config = (settings: Env) => readEnvironment(prefixed(settings)).config

t.test('route gives issuers, audiences and the key set of the first', async (t) => {
  const { issuers, audiences, keySet } = config({
    route: 'https://a.example.com:8443,https://b.example.com,https://a.example.com:9443',
  })
  t.strictSame(issuers, [
    'a.example.com',
    'https://a.example.com/',
    'b.example.com',
    'https://b.example.com/',
  ])
  t.strictSame(audiences, ['a.example.com', 'b.example.com'])
  t.match(keySet, { uri: { href: 'https://a.example.com:8443/.well-known/pomerium/jwks.json' } })
})

t.test('explicit issuers and audiences replace derived ones', async (t) => {
  const { issuers, audiences } = config({ issuer: 'auth.example.com', audience: 'x,*.example.com' })
  t.strictSame(issuers, ['auth.example.com'])
  t.strictSame(audiences, ['x', '*.example.com'])
})

t.test('a wildcard route keeps its wildcard and needs a key set of its own', async (t) => {
  const route = 'https://*.example.com'
  const { issuers, audiences } = config({ route, jwks_file: '/keys.json' })
  t.strictSame(issuers, ['*.example.com', 'https://*.example.com/'])
  t.strictSame(audiences, ['*.example.com'])
  t.equal(lines({ route, jwks_uri: 'https://a.example.com/jwks' }).length, 0)
  t.equal(lines({ route: `https://a.example.com,${route}` }).length, 0)
  t.strictSame(lines({ route: `${route},https://a.example.com` }), [
    'env CLAIMGATE_ROUTE: route must begin with a route without wildcard, unless jwks_uri or jwks_file is set, got "https://*.example.com"',
  ])
})

t.test('without route, issuer, audience and key set must be given', async (t) => {
  const route = undefined
  const issuer = 'i'
  const audience = 'a'
  const jwks_file = '/k'
  t.equal(lines({ route, issuer, audience, jwks_file }).length, 0)
  t.strictSame(lines({ route, audience, jwks_file }), [
    'not set: issuer must be set, or route, such as https://app.example.com, got nothing',
  ])
  t.strictSame(lines({ route, issuer, jwks_file }), [
    'not set: audience must be set, or route, such as https://app.example.com, got nothing',
  ])
  t.strictSame(lines({ route, issuer, audience }), [
    'not set: jwks_uri must be set, or route or jwks_file, got nothing',
  ])
  t.strictSame(lines({ upstream: undefined }), [
    "not set: upstream must be the app's origin, such as http://127.0.0.1:3000, got nothing",
  ])
})

t.test('forward-auth wants no upstream, and nothing that only a proxy does', async (t) => {
  const mode = 'forward-auth'
  const without = { mode, upstream: undefined }
  const { upstream, statusPath } = config(without)
  t.strictSame([upstream, statusPath], [undefined, undefined])
  t.strictSame(lines({ mode }), [
    'env CLAIMGATE_UPSTREAM: upstream must be left out with mode: forward-auth, which forwards nothing, got "http://127.0.0.1:3000"',
  ])
  for (const [name, value] of Object.entries({
    upstream_ca_file: '/ca',
    upstream_server_name: 'app.internal',
    upstream_connect_timeout: '5s',
    upstream_response_timeout: '5m',
    preserve_host: 'true',
    tunnel_max_age: '1h',
    status_path: '/me',
  }))
    t.match(lines({ ...without, [name]: value }), [
      `: ${name} must be left out with mode: forward-auth`,
    ])
  t.match(lines({ mode: 'forward' }), [
    /^env CLAIMGATE_MODE: mode must be one of: proxy forward-auth/,
  ])
})

t.test('a bad value is reported once, without what follows from it', async (t) => {
  t.equal(lines({ route: 'x' }).length, 1)
  t.equal(lines({ issuer: '*' }).length, 1)
  t.equal(lines({ jwks_uri: 'x', route: undefined, issuer: 'i', audience: 'a' }).length, 1)
  t.equal(lines({ upstream: 'x' }).length, 1)
})

t.test('jwks_file excludes all settings of a fetched key set', async (t) => {
  const jwks_file = '/keys.json'
  t.match(config({ jwks_file, jwks_cooldown: '5s' }).keySet, {
    kind: 'file',
    path: '/keys.json',
    cooldown: 5_000,
  })
  for (const [name, value] of [
    ['jwks_uri', 'https://a/b'],
    ['jwks_connect', 'pomerium:443'],
    ['jwks_ca_file', '/ca.pem'],
    ['jwks_timeout', '5s'],
    ['jwks_refresh', '60s'],
    ['jwks_max_stale', '24h'],
    ['unsafe_http_jwks', 'false'],
  ] as const)
    t.strictSame(lines({ jwks_file, [name]: value }), [
      `env CLAIMGATE_${name.toUpperCase()}: ${name} must not be set together with jwks_file, got both (jwks_file from env CLAIMGATE_JWKS_FILE)`,
    ])
})

t.test('http: for the key set stays near, or is asked for by name', async (t) => {
  for (const host of ['localhost', '127.0.0.1:8080', '[::1]', 'pomerium', 'my_pomerium:80'])
    t.strictSame(lines({ jwks_uri: `http://${host}/jwks` }), [], host)
  for (const host of [
    'a.example.com',
    '10.0.0.1',
    '[2001:db8::1]',
    'pomerium.default.svc',
    '0.0.0.0',
  ])
    t.strictSame(
      lines({ jwks_uri: `http://${host}/jwks` }),
      [
        `env CLAIMGATE_JWKS_URI: jwks_uri must be https: unless its host is loopback or a single label (or unsafe_http_jwks is true), got "http://${host}/jwks"`,
      ],
      host,
    )
  t.strictSame(lines({ jwks_uri: 'http://10.0.0.1/jwks', unsafe_http_jwks: 'true' }), [])
  t.strictSame(lines({ jwks_uri: 'http://pomerium/jwks', jwks_ca_file: '/ca' }), [
    'env CLAIMGATE_JWKS_CA_FILE: jwks_ca_file must be used with an https: jwks_uri, got an http: one',
  ])
})

t.test('a client certificate and its key come together', async (t) => {
  const upstream = 'https://app'
  const listen = '127.0.0.1:8000'
  for (const part of ['jwks', 'upstream']) {
    const [cert, key] = [`${part}_client_cert_file`, `${part}_client_key_file`]
    t.strictSame(lines({ upstream, listen, [cert]: '/c', [key]: '/k' }), [])
    t.strictSame(lines({ upstream, listen, [cert]: '/c' }), [
      `env CLAIMGATE_${cert.toUpperCase()}: ${key} must be set together with ${cert}, got nothing`,
    ])
    t.strictSame(lines({ upstream, listen, [key]: '/k' }), [
      `env CLAIMGATE_${key.toUpperCase()}: ${cert} must be set together with ${key}, got nothing`,
    ])
  }
})

t.test('TLS on the data port needs certificate and key, and client CAs need both', async (t) => {
  const [cert, key, ca] = ['tls_cert_file', 'tls_key_file', 'tls_client_ca_file'] as const
  t.strictSame(config({ [cert]: '/c', [key]: '/k', [ca]: '/a' }).tls, {
    certFile: '/c',
    keyFile: '/k',
    clientCaFile: '/a',
  })
  t.equal(config({}).tls, undefined)
  t.strictSame(lines({ [cert]: '/c' }), [
    `env CLAIMGATE_TLS_CERT_FILE: ${key} must be set together with ${cert}, got nothing`,
  ])
  t.strictSame(lines({ [key]: '/k' }), [
    `env CLAIMGATE_TLS_KEY_FILE: ${cert} must be set together with ${key}, got nothing`,
  ])
  t.strictSame(lines({ [ca]: '/a' }), [
    `env CLAIMGATE_TLS_CLIENT_CA_FILE: ${cert} must be set together with ${ca}, got nothing`,
  ])
})

t.test('TLS settings of the upstream need an https: upstream', async (t) => {
  const settings = {
    upstream_ca_file: '/ca',
    upstream_server_name: 'app.internal',
    upstream_client_cert_file: '/c',
    upstream_client_key_file: '/k',
  }
  t.strictSame(config({ ...settings, upstream: 'https://app' }).upstreamTls, {
    caFile: '/ca',
    serverName: 'app.internal',
    clientCertFile: '/c',
    clientKeyFile: '/k',
  })
  for (const upstream of ['http://app', 'unix:/run/app.sock']) {
    const found = lines({ ...settings, upstream })
    t.equal(found.length, 4)
    for (const line of found)
      t.match(line, /must be used with an https: upstream, got an? (http|unix):/)
  }
})

t.test('the two listeners have ports of their own', async (t) => {
  const line = (source: string, port: number) =>
    `env CLAIMGATE_${source}: admin_listen must have another port than listen, got port ${port} for both`
  t.strictSame(lines({ listen: '0.0.0.0:8001' }), [line('LISTEN', 8001)])
  t.strictSame(lines({ listen: '127.0.0.1:9000', admin_listen: '127.0.0.1:9000' }), [
    line('ADMIN_LISTEN', 9000),
  ])
  t.strictSame(lines({ listen: '127.0.0.1:9000', admin_listen: '[::]:9000' }), [
    line('ADMIN_LISTEN', 9000),
  ])
  t.strictSame(lines({ listen: '127.0.0.1:9000', admin_listen: '127.0.0.2:9000' }), [])
  t.strictSame(lines({ listen: '127.0.0.1:0', admin_listen: '127.0.0.1:0' }), [])
  t.strictSame(lines({ listen: '0.0.0.0:8001', admin_listen: 'off' }), [])
})

t.test('the upstream is not claimgate itself', async (t) => {
  const loops: [upstream: string, listen: string][] = [
    ['http://127.0.0.1:8000', '0.0.0.0:8000'],
    ['http://localhost:8000', '0.0.0.0:8000'],
    ['http://[::1]:8000', '[::]:8000'],
    ['http://0.0.0.0:8000', '127.0.0.1:8000'],
    ['http://127.0.0.1:8000', '127.0.0.1:8000'],
    ['http://10.0.0.5:8000', '10.0.0.5:8000'],
    ['https://127.0.0.1', '0.0.0.0:443'],
  ]
  for (const [upstream, listen] of loops)
    t.match(
      lines({ upstream, listen }),
      [/^env CLAIMGATE_UPSTREAM: upstream must not be claimgate itself \(listen\), got "/],
      `${upstream} ${listen}`,
    )
  t.match(lines({ upstream: 'http://127.0.0.1:8001' }), [/claimgate itself \(admin_listen\)/])
  for (const [upstream, listen] of [
    ['http://app:8000', '0.0.0.0:8000'],
    ['http://127.0.0.1:8000', '10.0.0.5:8000'],
    ['http://127.0.0.1:3000', '0.0.0.0:8000'],
    ['unix:/run/app.sock', '0.0.0.0:8000'],
  ] as const)
    t.strictSame(lines({ upstream, listen }), [], `${upstream} ${listen}`)
})

t.test('the assertion header is no identity header, in whatever spelling', async (t) => {
  for (const assertion_header of ['X-User', 'x_user'])
    t.strictSame(lines({ assertion_header, identity_headers: 'X-User=email' }), [
      `env CLAIMGATE_ASSERTION_HEADER: assertion_header must not be one of the identity headers, got "${assertion_header}"`,
    ])
  t.strictSame(lines({ assertion_header: 'X-Jwt', identity_headers: 'X-User=email' }), [])
})

t.test('the status page is not on a public path', async (t) => {
  t.strictSame(lines({ public_paths: '/healthz,/.claimgate' }), [
    'env CLAIMGATE_PUBLIC_PATHS: public_paths must not hold status_path, got "/.claimgate"',
  ])
  t.strictSame(lines({ public_paths: '/.claimgate', status_path: 'off' }), [])
})

t.test('off turns off what can be off, and nothing else', async (t) => {
  const { maxAssertionAge, upstreamResponseTimeout, statusPath, adminListen } = config({
    max_assertion_age: 'off',
    upstream_response_timeout: 'off',
    status_path: 'off',
    admin_listen: 'off',
  })
  t.strictSame([maxAssertionAge, upstreamResponseTimeout, statusPath, adminListen], Array(4))
  for (const name of [
    'clock_skew',
    'jwks_timeout',
    'header_timeout',
    'body_idle_timeout',
    'keep_alive_timeout',
    'upstream_connect_timeout',
    'drain_timeout',
    'max_connections',
    'max_header_size',
    'listen',
  ])
    t.equal(lines({ [name]: 'off' }).length, 1, name)
  for (const name of ['header_timeout', 'jwks_timeout', 'upstream_response_timeout'])
    t.equal(lines({ [name]: '0s' }).length, 1, `${name} is not 0`)
})

t.test('a Unix socket is not shared by two ports, nor the upstream of itself', async (t) => {
  const own = 'unix:/run/claimgate.sock'
  t.strictSame(lines({ listen: own, admin_listen: 'unix:/run/admin.sock' }), [])
  t.strictSame(lines({ listen: own, admin_listen: '0.0.0.0:8000' }), [])
  t.strictSame(lines({ listen: own, admin_listen: own }), [
    `env CLAIMGATE_ADMIN_LISTEN: admin_listen must have another path than listen, got "${own}"`,
  ])
  t.strictSame(lines({ listen: own, upstream: own }), [
    `env CLAIMGATE_UPSTREAM: upstream must not be claimgate itself (listen), got "${own}"`,
  ])
  t.strictSame(lines({ listen: own, upstream: 'unix:/run/app.sock' }), [])
})
