import t from 'tap'
import { linesOf, readEnvironment } from '../helpers/settings.ts'

const rows: [string, [string, string[]][], string[]][] = [
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
    ['x-webauth-role'],
  ],
  ['none', [], []],
]

const everyName = rows.flatMap(([, headers, reserved]) => [
  ...headers.map(([name]) => name.toLowerCase()),
  ...reserved,
])

for (const [preset, headers] of rows)
  t.test(`preset ${preset} sets its headers and reserves the names of every preset`, async (t) => {
    const { config } = readEnvironment({ CLAIMGATE_PRESET: preset })
    t.strictSame(
      config.identityHeaders.map(({ header, claims }) => [header, claims]),
      headers,
    )
    for (const header of config.identityHeaders)
      t.match(header, { separator: ',', encoding: 'utf8', transforms: [], only: [] })
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

t.test('presets to come are refused as such, others as unknown', async (t) => {
  const line = (preset: string) => linesOf(() => readEnvironment({ CLAIMGATE_PRESET: preset }))
  for (const preset of ['gitea', 'forgejo', 'jenkins', 'remote-user', 'oauth2-proxy'])
    t.strictSame(line(preset), [
      `env CLAIMGATE_PRESET: preset must be one of: pomerium pomerium-legacy grafana none, got "${preset}", which is not supported yet`,
    ])
  for (const preset of ['grafanna', 'constructor', 'Grafana'])
    t.strictSame(line(preset), [
      `env CLAIMGATE_PRESET: preset must be one of: pomerium pomerium-legacy grafana none, got "${preset}"`,
    ])
})
