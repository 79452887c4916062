import t from 'tap'
import type { Claims } from '../../src/assertion/claims.ts'
import type { IdentityHeader } from '../../src/config/config.ts'
import { foldName } from '../../src/identity/fold.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import { linesOf, readEnvironment } from '../helpers/settings.ts'

type Row = [string, [string, string[]][], string[]]

const rows: Row[] = [
  [
    'pomerium',
    [
      ['X-Pomerium-Claim-Sub', ['sub']],
      ['X-Pomerium-Claim-User', ['user']],
      ['X-Pomerium-Claim-Email', ['email']],
      ['X-Pomerium-Claim-Name', ['name']],
      ['X-Pomerium-Claim-Groups', ['groups']],
    ],
    [],
  ],
  [
    'pomerium-legacy',
    [
      ['X-Pomerium-Authenticated-User-Id', ['sub']],
      ['X-Pomerium-Authenticated-User-Email', ['email']],
      ['X-Pomerium-Authenticated-User-Groups', ['groups']],
    ],
    [],
  ],
  [
    'grafana',
    [
      ['X-WEBAUTH-USER', ['email', 'sub']],
      ['X-WEBAUTH-EMAIL', ['email']],
      ['X-WEBAUTH-NAME', ['name']],
      ['X-WEBAUTH-GROUPS', ['groups']],
    ],
    ['x-webauth-role', 'x-webauth-grafana-admin'],
  ],
  ...(['gitea', 'forgejo'] as const).map(
    (name): Row => [
      name,
      [
        ['X-WEBAUTH-USER', ['email']],
        ['X-WEBAUTH-EMAIL', ['email']],
        ['X-WEBAUTH-FULLNAME', ['name']],
      ],
      [],
    ],
  ),
  [
    'jenkins',
    [
      ['X-Forwarded-User', ['email', 'sub']],
      ['X-Forwarded-Mail', ['email']],
      ['X-Forwarded-DisplayName', ['name']],
      ['X-Forwarded-Groups', ['groups']],
    ],
    [],
  ],
  [
    'remote-user',
    [
      ['Remote-User', ['email', 'sub']],
      ['Remote-Email', ['email']],
      ['Remote-Name', ['name']],
      ['Remote-Groups', ['groups']],
    ],
    [],
  ],
  [
    'oauth2-proxy',
    [
      ['X-Forwarded-User', ['sub']],
      ['X-Forwarded-Email', ['email']],
      ['X-Forwarded-Groups', ['groups']],
      ['X-Forwarded-Preferred-Username', ['preferred_username']],
    ],
    ['x-forwarded-access-token'],
  ],
  [
    'sonarqube',
    [
      ['X-Forwarded-Login', ['email', 'sub']],
      ['X-Forwarded-Name', ['name']],
      ['X-Forwarded-Email', ['email']],
      ['X-Forwarded-Groups', ['groups']],
    ],
    [],
  ],
  [
    'open-webui',
    [
      ['X-Pomerium-Claim-Email', ['email']],
      ['X-Pomerium-Claim-Name', ['name']],
      ['X-Pomerium-Claim-Groups', ['groups']],
    ],
    [],
  ],
  ['guacamole', [['REMOTE_USER', ['email', 'sub']]], []],
  [
    'netbox',
    [
      ['Remote-User', ['email', 'sub']],
      ['Remote-User-Email', ['email']],
      ['Remote-User-Group', ['groups']],
    ],
    ['remote-user-first-name', 'remote-user-last-name'],
  ],
  ['paperless-ngx', [['Remote-User', ['email', 'sub']]], []],
  [
    'firefly-iii',
    [
      ['Remote-User', ['email', 'sub']],
      ['Remote-Email', ['email']],
    ],
    [],
  ],
  ['tiddlywiki', [['Remote-User', ['email', 'sub']]], []],
  [
    'opensearch',
    [
      ['X-Proxy-User', ['email', 'sub']],
      ['X-Proxy-Roles', ['groups']],
    ],
    [],
  ],
  ['none', [], []],
]

const everyName = [
  ...new Set(
    rows.flatMap(([, headers, reserved]) => [
      ...headers.map(([name]) => foldName(name)),
      ...reserved,
    ]),
  ),
]

/** Where a preset differs from `,` and no transform. */
const DIFFERENCES: Readonly<Record<string, Partial<IdentityHeader>>> = {
  'gitea X-WEBAUTH-USER': { transforms: ['local_part'] },
  'forgejo X-WEBAUTH-USER': { transforms: ['local_part'] },
  'jenkins X-Forwarded-Groups': { separator: '|' },
  'netbox Remote-User-Group': { separator: '|' },
  'open-webui X-Pomerium-Claim-Name': { encoding: 'percent' },
  'tiddlywiki Remote-User': { encoding: 'percent' },
}

for (const [preset, headers] of rows)
  t.test(`preset ${preset} sets its headers and reserves the names of every preset`, async (t) => {
    const { config } = readEnvironment({ CLAIMGATE_PRESET: preset })
    t.strictSame(
      config.identityHeaders.map(({ header, claims }) => [header, claims]),
      headers,
    )
    for (const header of config.identityHeaders)
      t.match(
        header,
        Object.assign(
          { separator: ',', encoding: 'utf8', transforms: [], only: [], maxBytes: undefined },
          DIFFERENCES[`${preset} ${header.header}`],
        ),
      )
    t.strictSame(config.reservedHeaders, everyName)
  })

t.test('identity_headers replaces what is set and not what is reserved', async (t) => {
  const { config } = readEnvironment({
    CLAIMGATE_PRESET: 'grafana',
    CLAIMGATE_IDENTITY_HEADERS: 'X-WEBAUTH-USER=sub',
  })
  t.strictSame(
    config.identityHeaders.map(({ header, claims }) => [header, claims]),
    [['X-WEBAUTH-USER', ['sub']]],
  )
  t.strictSame(config.reservedHeaders, everyName)
})

t.test('other names are unknown', async (t) => {
  const line = (preset: string) => linesOf(() => readEnvironment({ CLAIMGATE_PRESET: preset }))
  for (const preset of ['grafanna', 'constructor', 'Grafana', 'authelia'])
    t.strictSame(line(preset), [
      `env CLAIMGATE_PRESET: preset must be one of: pomerium pomerium-legacy grafana gitea forgejo jenkins remote-user oauth2-proxy sonarqube open-webui guacamole netbox paperless-ngx firefly-iii tiddlywiki opensearch none, got "${preset}"`,
    ])
})

t.test('what decides nothing is stripped by no preset', async (t) => {
  const { config } = readEnvironment()
  for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'])
    t.notOk(config.reservedHeaders.includes(name), name)
})

const ANN = {
  sub: 'u1',
  email: 'ann@example.com',
  name: 'Ann',
  groups: ['dev', 'a|b', 'ops'],
  preferred_username: 'ann.k',
}

const linesWith = (preset: string, claims: Claims) =>
  createIdentityHeaders(readEnvironment({ CLAIMGATE_PRESET: preset }).config.identityHeaders)(
    claims,
  )

t.test('each app gets what it reads', async (t) => {
  const gitea = [
    ...['X-WEBAUTH-USER', 'ann', 'X-WEBAUTH-EMAIL', 'ann@example.com'],
    ...['X-WEBAUTH-FULLNAME', 'Ann'],
  ]
  t.strictSame(linesWith('gitea', ANN).lines, gitea)
  t.strictSame(linesWith('forgejo', ANN).lines, gitea)
  t.strictSame(linesWith('jenkins', ANN), {
    lines: [
      ...['X-Forwarded-User', 'ann@example.com', 'X-Forwarded-Mail', 'ann@example.com'],
      ...['X-Forwarded-DisplayName', 'Ann', 'X-Forwarded-Groups', 'dev|ops'],
    ],
    dropped: 1,
  })
  t.strictSame(linesWith('remote-user', ANN).lines, [
    ...['Remote-User', 'ann@example.com', 'Remote-Email', 'ann@example.com'],
    ...['Remote-Name', 'Ann', 'Remote-Groups', 'dev,a|b,ops'],
  ])
  t.strictSame(linesWith('sonarqube', ANN).lines, [
    ...['X-Forwarded-Login', 'ann@example.com', 'X-Forwarded-Name', 'Ann'],
    ...['X-Forwarded-Email', 'ann@example.com', 'X-Forwarded-Groups', 'dev,a|b,ops'],
  ])
  t.strictSame(linesWith('open-webui', { ...ANN, name: 'Zoë 100%' }).lines, [
    ...['X-Pomerium-Claim-Email', 'ann@example.com'],
    ...['X-Pomerium-Claim-Name', 'Zo%C3%AB 100%25', 'X-Pomerium-Claim-Groups', 'dev,a|b,ops'],
  ])
  t.strictSame(linesWith('guacamole', ANN).lines, ['REMOTE_USER', 'ann@example.com'])
  t.strictSame(linesWith('netbox', ANN), {
    lines: [
      ...['Remote-User', 'ann@example.com', 'Remote-User-Email', 'ann@example.com'],
      ...['Remote-User-Group', 'dev|ops'],
    ],
    dropped: 1,
  })
  t.strictSame(linesWith('tiddlywiki', { email: 'zoë@example.com' }).lines, [
    ...['Remote-User', 'zo%C3%AB@example.com'],
  ])
  t.strictSame(linesWith('opensearch', ANN).lines, [
    ...['X-Proxy-User', 'ann@example.com', 'X-Proxy-Roles', 'dev,a|b,ops'],
  ])
  t.strictSame(linesWith('oauth2-proxy', ANN).lines, [
    ...['X-Forwarded-User', 'u1', 'X-Forwarded-Email', 'ann@example.com'],
    ...['X-Forwarded-Groups', 'dev,a|b,ops', 'X-Forwarded-Preferred-Username', 'ann.k'],
  ])
})

t.test('whoever has no e-mail is not signed in to Gitea, and is sub elsewhere', async (t) => {
  const robot = { sub: 'robot' }
  t.strictSame(linesWith('gitea', robot).lines, [])
  t.strictSame(linesWith('jenkins', robot).lines, ['X-Forwarded-User', 'robot'])
  t.strictSame(linesWith('remote-user', robot).lines, ['Remote-User', 'robot'])
})
