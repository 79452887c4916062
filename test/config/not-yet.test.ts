import t from 'tap'
import { linesOf, readEnvironment } from '../helpers/settings.ts'

/** Nothing is accepted and ignored: a setting without its feature is refused until it has one. */
const rows: [variable: string, value: string, line: string][] = [
  ['TLS_CERT_FILE', '/c', 'tls_cert_file must not be set, got "/c", which is not supported yet'],
  ['TLS_KEY_FILE', '/k', 'tls_key_file must not be set, got "/k", which is not supported yet'],
  [
    'TLS_CLIENT_CA_FILE',
    '/a',
    'tls_client_ca_file must not be set, got "/a", which is not supported yet',
  ],
]

for (const [name, value, line] of rows)
  t.test(`${name}=${value} is refused`, async (t) => {
    const env = { [`CLAIMGATE_${name}`]: value }
    t.strictSame(
      linesOf(() => readEnvironment(env)),
      [`env CLAIMGATE_${name}: ${line}`],
    )
  })

t.test('off can be written out', async (t) => {
  const off = {
    CLAIMGATE_REPLAY_GUARD: 'off',
    CLAIMGATE_REPORT_ONLY: 'off',
    CLAIMGATE_TUNNEL_MAX_AGE: 'off',
  }
  t.strictSame(readEnvironment(off).config, readEnvironment().config)
})
