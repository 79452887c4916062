import t from 'tap'
import { readConfig } from '../../src/config/read.ts'
import { files, GOOD, linesOf, readEnvironment } from '../helpers/settings.ts'

const lines = (env: Record<string, string>) => linesOf(() => readEnvironment(env))

t.test('the service links of Kubernetes are not settings', async (t) => {
  const { config, warnings } = readEnvironment({
    CLAIMGATE_PORT: 'tcp://10.0.0.1:8000',
    CLAIMGATE_SERVICE_HOST: '10.0.0.1',
    CLAIMGATE_SERVICE_PORT: '8000',
    CLAIMGATE_SERVICE_PORT_HTTP: '8000',
    CLAIMGATE_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
    CLAIMGATE_PORT_8000_TCP_PROTO: 'tcp',
    CLAIMGATE_PORT_8000_TCP_PORT: '8000',
    CLAIMGATE_PORT_8000_TCP_ADDR: '10.0.0.1',
    CLAIMGATE_ADMIN_PORT: 'tcp://10.0.0.1:8001',
    CLAIMGATE_ADMIN_SERVICE_HOST: '10.0.0.1',
    CLAIMGATE_ADMIN_SERVICE_PORT: '8001',
    CLAIMGATE_ADMIN_PORT_8001_TCP: 'tcp://10.0.0.1:8001',
  })
  t.strictSame(config, readEnvironment().config)
  t.strictSame(warnings, [])
})

t.test('CLAIMGATE_PORT with a number is ignored with a warning', async (t) => {
  const { config, warnings } = readEnvironment({ CLAIMGATE_PORT: '9000' })
  t.equal(config.listen.port, 8000)
  t.strictSame(warnings, [
    'env CLAIMGATE_PORT: it is not a setting and is ignored; listen sets the data port',
  ])
})

t.test('other unknown variables with the prefix are problems, those without are not', async (t) => {
  t.strictSame(lines({ CLAIMGATE_AUDIENC: 'x', PATH: '/bin', claimgate_route: 'x' }), [
    'env CLAIMGATE_AUDIENC: the name must be that of a setting (the nearest is CLAIMGATE_AUDIENCE), got "CLAIMGATE_AUDIENC"',
  ])
  t.match(lines({ CLAIMGATE_: 'x' }), [/^env CLAIMGATE_: the name must be that of a setting/])
  t.match(lines({ 'CLAIMGATE_A B\n': 'x' }), [/^env: the name .* got "CLAIMGATE_A B\\n"$/])
  t.match(lines({ CLAIMGATE_ADMIN_PORT: '8001' }), [/^env CLAIMGATE_ADMIN_PORT: the name/])
})

t.test('a variable that is unset in the environment is not there', async (t) => {
  t.strictSame(
    readEnvironment({ CLAIMGATE_ISSUER: undefined, CLAIMGATE_NO: undefined }).config,
    readEnvironment().config,
  )
})

t.test('an empty value is a problem, not a way to leave a check out', async (t) => {
  for (const name of ['ROUTE', 'ISSUER', 'AUDIENCE', 'UPSTREAM', 'JWKS_URI', 'ALGORITHMS', 'ALLOW'])
    t.match(lines({ [`CLAIMGATE_${name}`]: '' }), [new RegExp(`^env CLAIMGATE_${name}: .*empty`)])
  t.match(lines({ EXPECTED_JWT_ISSUER: '' }), [/^env EXPECTED_JWT_ISSUER: issuer must have/])
  t.match(lines({ EXPECTED_JWT_AUDIENCE: '' }), [/^env EXPECTED_JWT_AUDIENCE: audience must have/])
})

t.test('aliases mean what they mean to the verify app', async (t) => {
  const { config } = readConfig({
    flags: [],
    env: {
      CLAIMGATE_UPSTREAM: 'http://127.0.0.1:3000',
      JWKS_ENDPOINT: 'https://keys.example.com/jwks.json',
      EXPECTED_JWT_ISSUER: 'a,b',
      EXPECTED_JWT_AUDIENCE: 'c',
      EXTRA_CA_CERTS: '/ca1.pem,/ca2.pem',
    },
    readFile: files({}),
  })
  t.strictSame(config.issuers, ['a', 'b'])
  t.strictSame(config.audiences, ['c'])
  t.match(config.keySet, {
    kind: 'remote',
    uri: { href: 'https://keys.example.com/jwks.json' },
    caFiles: ['/ca1.pem', '/ca2.pem'],
  })
})

t.test('X_FILE takes the value from that file, less one final line break', async (t) => {
  const read = (text: string) =>
    readConfig({
      flags: [],
      env: { ...GOOD, CLAIMGATE_AUDIENCE_FILE: '/run/aud' },
      readFile: files({ '/run/aud': text }),
    })
  for (const text of ['app', 'app\n', 'app\r\n']) {
    const { config, values } = read(text)
    t.strictSame(config.audiences, ['app'])
    t.match(
      values.find(({ name }) => name === 'audience'),
      { source: 'env CLAIMGATE_AUDIENCE_FILE', value: 'app' },
    )
  }
  t.match(
    linesOf(() => read('app\n\n')),
    [
      /^env CLAIMGATE_AUDIENCE_FILE: audience must not begin or end with white space, got "app\\n"$/,
    ],
  )
  t.match(
    linesOf(() => read('')),
    [/^env CLAIMGATE_AUDIENCE_FILE: audience must have 1 to 1000 items .* got an empty value$/],
  )
})

t.test('X_FILE that cannot be read, or beside X, is a problem', async (t) => {
  t.strictSame(lines({ CLAIMGATE_AUDIENCE_FILE: '/missing' }), [
    'env CLAIMGATE_AUDIENCE_FILE: audience must be in a readable file, got "/missing" (there is no such file)',
  ])
  t.match(lines({ CLAIMGATE_AUDIENCE_FILE: '' }), [/got an empty name$/])
  t.strictSame(lines({ CLAIMGATE_AUDIENCE_FILE: '/x', CLAIMGATE_AUDIENCE: 'a' }), [
    'env CLAIMGATE_AUDIENCE_FILE: audience must be set in one way, got CLAIMGATE_AUDIENCE as well',
  ])
})

t.test('settings that end in _FILE are themselves, and have a _FILE form too', async (t) => {
  const read = (env: Record<string, string>) =>
    readConfig({ flags: [], env: { ...GOOD, ...env }, readFile: files({ '/p': '/keys.json\n' }) })
  t.match(read({ CLAIMGATE_JWKS_FILE: '/p' }).config.keySet, { kind: 'file', path: '/p' })
  t.match(read({ CLAIMGATE_JWKS_FILE_FILE: '/p' }).config.keySet, { path: '/keys.json' })
  t.match(lines({ CLAIMGATE_CONFIG_FILE: '/p' }), [/the nearest is CLAIMGATE_CONFIG/])
})

t.test('switches of Node.js that undo the checks are refused', async (t) => {
  t.match(lines({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }), [
    /^env NODE_TLS_REJECT_UNAUTHORIZED: it must not be set: .* got "0"$/,
  ])
  t.strictSame(lines({ NODE_TLS_REJECT_UNAUTHORIZED: '1' }), [])
  for (const options of ['--insecure-http-parser', '--max-old-space-size=9 --insecure_http_parser'])
    t.match(lines({ NODE_OPTIONS: options }), [/^env NODE_OPTIONS: it must not hold/], options)
  t.strictSame(lines({ NODE_OPTIONS: '--enable-source-maps' }), [])
})
