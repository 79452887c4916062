import t from 'tap'
import { check } from '../../src/commands/check.ts'
import { SETTING_NAMES } from '../../src/config/settings.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { files, GOOD } from '../helpers/settings.ts'

function run(
  env: Record<string, string>,
  texts: Record<string, string> = {},
  flags: string[] = [],
) {
  const written: string[] = []
  const code = check({
    flags,
    env,
    readFile: files(texts),
    write: (text) => {
      written.push(text)
    },
  })
  return { code, text: written.join(''), lines: written.join('').trimEnd().split('\n') }
}

t.test('shows every setting once, in order, with its source, and returns 0', async (t) => {
  const { code, lines } = run(
    { ...GOOD, JWKS_ENDPOINT: 'https://keys.example.com/jwks' },
    { 'c.yaml': '\nlog_level: warn\n' },
    ['--config', 'c.yaml', '--clock-skew=30s'],
  )
  t.equal(code, 0)
  t.strictSame(
    lines.map((line) => line.split(' ')[0]),
    SETTING_NAMES,
  )
  const shown = (name: string) =>
    lines.find((line) => line.startsWith(`${name} `))?.replaceAll(/ {2,}/g, '  ')
  t.equal(shown('upstream'), 'upstream  http://127.0.0.1:3000  # env CLAIMGATE_UPSTREAM')
  t.equal(
    shown('issuer'),
    'issuer  app.example.com, https://app.example.com/  # route (env CLAIMGATE_ROUTE)',
  )
  t.equal(shown('jwks_uri'), 'jwks_uri  https://keys.example.com/jwks  # env JWKS_ENDPOINT')
  t.equal(shown('log_level'), 'log_level  warn  # c.yaml:2:12')
  t.equal(shown('clock_skew'), 'clock_skew  30s  # flag --clock-skew')
  t.equal(shown('drain_timeout'), 'drain_timeout  25s  # default')
  t.equal(shown('jwks_file'), 'jwks_file  -  # not set')
})

t.test('shows identity headers of all forms on one line', async (t) => {
  const yaml = `identity_headers:
  X-User: [email, sub]
  X-Groups: {claim: groups, separator: "|", only: ["team-*"]}
`
  const { text } = run(GOOD, { 'c.yaml': yaml }, ['--config', 'c.yaml'])
  t.match(
    text,
    'X-User=[email, sub], X-Groups={claim=groups, separator=|, only=[team-*]}  # c.yaml:2:3',
  )
  t.match(
    run({ ...GOOD, CLAIMGATE_PRESET: 'grafana' }).text,
    'X-WEBAUTH-USER=[email, sub], X-WEBAUTH-EMAIL=email, X-WEBAUTH-NAME=name, X-WEBAUTH-GROUPS=groups  # preset (env CLAIMGATE_PRESET)',
  )
})

t.test('writes warnings after the settings and still returns 0', async (t) => {
  const { code, lines } = run({ ...GOOD, CLAIMGATE_UPSTREAM: 'http://app:80' })
  t.equal(code, 0)
  t.match(lines.at(-1), /^warning: env CLAIMGATE_UPSTREAM: the upstream is on the network/)
})

t.test('writes every problem on a line of its own and returns 78', async (t) => {
  const { code, lines } = run({ CLAIMGATE_UPSTREAM: 'ftp://x', CLAIMGATE_ROUTE: 'app' })
  t.equal(code, 78)
  t.strictSame(lines, [
    'problem: env CLAIMGATE_UPSTREAM: upstream must be one origin without user, path, query or fragment: http://host:port, https://host:port or unix:/path, got "ftp://x"',
    'problem: env CLAIMGATE_ROUTE: route must be the `from` URL of a Pomerium route, such as https://app.example.com or https://*.example.com, got "app"',
  ])
})

t.test('names the files that cannot be read and returns 78', async (t) => {
  const env = {
    ...GOOD,
    CLAIMGATE_UPSTREAM: 'https://app:443',
    EXTRA_CA_CERTS: '/ca.pem, /missing.pem',
    CLAIMGATE_UPSTREAM_CA_FILE: '/also-missing.pem',
  }
  const { code, lines } = run(env, { '/ca.pem': 'x' })
  t.equal(code, 78)
  t.strictSame(
    lines.filter((line) => line.startsWith('problem')),
    [
      'problem: env EXTRA_CA_CERTS: jwks_ca_file must name a readable file, got "/missing.pem" (there is no such file)',
      'problem: env CLAIMGATE_UPSTREAM_CA_FILE: upstream_ca_file must name a readable file, got "/also-missing.pem" (there is no such file)',
    ],
  )
  const file = run({ ...GOOD, CLAIMGATE_JWKS_FILE: '/keys.json' })
  t.equal(file.code, 78)
  t.match(file.text, 'problem: env CLAIMGATE_JWKS_FILE: jwks_file must name a readable file')
})

t.test('secrets that do not belong there are hidden', async (t) => {
  const key = '-----BEGIN PRIVATE KEY-----MIIabc'
  const hidden = run({
    ...GOOD,
    CLAIMGATE_JWKS_URI: 'https://keys.example.com/jwks?key=hunter2',
    CLAIMGATE_JWKS_CLIENT_CERT_FILE: '/cert.pem',
    CLAIMGATE_JWKS_CLIENT_KEY_FILE: key,
  })
  t.match(hidden.text, 'https://keys.example.com/jwks?***')
  t.match(hidden.text, /jwks_client_key_file +\(hidden\)/)
  t.notMatch(hidden.text, 'hunter2')
  t.notMatch(hidden.text, 'MIIabc')
  const refused = run({
    ...GOOD,
    CLAIMGATE_UPSTREAM: 'http://ann:hunter2@app',
    CLAIMGATE_ISSUER: 'eyJhbGciOiJFUzI1NiJ9.x *',
  })
  t.equal(refused.code, 78)
  t.match(refused.text, 'got "http://***@app"')
  t.notMatch(refused.text, 'hunter2')
  t.notMatch(refused.text, 'eyJ')
})

t.test('the files of TLS are opened, and must fit each other', async (t) => {
  const authority = createAuthority()
  const [one, other] = [authority.issue({ names: ['a'] }), authority.issue({ names: ['b'] })]
  const env = { ...GOOD, CLAIMGATE_TLS_CERT_FILE: '/c', CLAIMGATE_TLS_KEY_FILE: '/k' }
  t.equal(run(env, { '/c': one.cert, '/k': one.key }).code, 0)
  const { code, text } = run(env, { '/c': one.cert, '/k': other.key })
  t.equal(code, 78)
  t.match(text, '\nproblem: /k: tls_key_file must hold the key of tls_cert_file, got another\n')
  const absent = run({ ...env, CLAIMGATE_TLS_CLIENT_CA_FILE: '/a' }, { '/c': one.cert })
  t.match(absent.text, 'problem: /a: tls_client_ca_file must name a readable file, got "/a"')
  t.match(absent.text, 'problem: /k: tls_key_file must name a readable file, got "/k"')
})
