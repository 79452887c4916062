import t from 'tap'
import { readEnvironment, readFileText } from '../helpers/settings.ts'

const OPEN =
  'env CLAIMGATE_UPSTREAM: the upstream is on the network: make sure that only claimgate can reach it, since it believes every identity header'

const rows: [name: string, env: Record<string, string | undefined>, warnings: string[]][] = [
  ['a network upstream and a listener for all', { CLAIMGATE_UPSTREAM: 'http://app:80' }, [OPEN]],
  [
    'a network upstream and a listener on loopback',
    { CLAIMGATE_UPSTREAM: 'http://app:80', CLAIMGATE_LISTEN: '127.0.0.1:8000' },
    [],
  ],
  ['a Unix socket', { CLAIMGATE_UPSTREAM: 'unix:/run/app.sock' }, []],
  [
    'an audience that is a URL',
    { CLAIMGATE_AUDIENCE: 'https://app.example.com/,app.example.com' },
    [
      'env CLAIMGATE_AUDIENCE: audience "https://app.example.com/" is a URL, but Pomerium sends the bare host name',
    ],
  ],
  [
    'an issuer URL without final slash',
    { EXPECTED_JWT_ISSUER: 'https://app.example.com' },
    [
      'env EXPECTED_JWT_ISSUER: issuer "https://app.example.com" has no final slash, but Pomerium\'s URI form ends in one',
    ],
  ],
  [
    'forward-auth',
    { CLAIMGATE_MODE: 'forward-auth', CLAIMGATE_UPSTREAM: undefined },
    [
      'env CLAIMGATE_MODE: mode is forward-auth: the proxy in front must overwrite X-Forwarded-Method, X-Forwarded-Uri, X-Original-Method and X-Original-URI when it asks, and every identity header when it forwards (docs/forward-auth.md)',
    ],
  ],
  [
    'report_only',
    { CLAIMGATE_REPORT_ONLY: 'unsafe' },
    [
      'env CLAIMGATE_REPORT_ONLY: report_only is on: nobody is kept out, and requests without a good assertion reach the app without identity headers',
    ],
  ],
  [
    'unsafe_http_jwks',
    { CLAIMGATE_JWKS_URI: 'http://10.0.0.1/jwks', CLAIMGATE_UNSAFE_HTTP_JWKS: 'true' },
    [
      'env CLAIMGATE_UNSAFE_HTTP_JWKS: unsafe_http_jwks is on: whoever can change the traffic to jwks_uri can sign in as anybody',
    ],
  ],
]
for (const [name, env, warnings] of rows)
  t.test(`${name}: ${warnings.length === 0 ? 'no warning' : 'a warning'}`, async (t) => {
    t.strictSame(readEnvironment(env).warnings, warnings)
  })

const shared = (allow: string, preset = 'gitea') =>
  readFileText(
    `upstream: http://127.0.0.1:3000\nroute: https://app.example.com\npreset: ${preset}\n${allow}`,
  ).warnings.filter((line) => line.includes('before the @'))

t.test('a preset that cuts e-mails warns, unless the rules are for one domain', async (t) => {
  t.strictSame(shared(''), [
    'config.yaml:3:9: the preset makes a user name of what stands before the @: without rules for one e-mail domain two people may become one user',
  ])
  const rule = (...globs: string[]) => `  - claims: {email: [${globs.map((g) => `"${g}"`)}]}\n`
  t.strictSame(shared(`allow:\n${rule('*@a.example')}${rule('ann@a.example')}`), [])
  for (const allow of [
    rule('*@a.example') + rule('*@b.example'),
    rule('*@a.example', '*@b.example'),
    `${rule('*@a.example')}  - methods: [GET]\n`,
    rule('*'),
    rule('*@*.example'),
    rule('*a.example'),
  ])
    t.equal(shared(`allow:\n${allow}`).length, 1, allow)
  t.strictSame(shared('', 'grafana'), [])
  t.strictSame(shared('identity_headers: {X-WEBAUTH-USER: preferred_username}\n'), [])
})
