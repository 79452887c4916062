import { readFileSync } from 'node:fs'
import t from 'tap'
import { GENERATED } from '../../src/config/guide.ts'
import { textInput } from '../../src/config/input.ts'
import { exampleText, helpText, schemaText, settingsTable } from '../../src/config/reference.ts'
import { envName, flagName, SETTING_NAMES, settingOf } from '../../src/config/settings.ts'
import { linesOf, readEnvironment, readFileText } from '../helpers/settings.ts'

/** The first table of the contract, in its order, the one setting it names in passing, and those that came since. */
const NAMES =
  `config mode upstream route issuer audience jwks_uri unsafe_http_jwks jwks_file jwks_connect
  jwks_ca_file jwks_client_cert_file jwks_client_key_file
  jwks_timeout jwks_refresh jwks_cooldown jwks_max_stale listen admin_listen preset identity_headers
  assertion_header forward_assertion algorithms clock_skew max_assertion_age allow_anonymous
  public_paths cors_preflight allow replay_guard preserve_host upstream_ca_file
  upstream_server_name upstream_client_cert_file upstream_client_key_file
  upstream_connect_timeout upstream_response_timeout header_timeout body_idle_timeout
  keep_alive_timeout max_header_size max_connections tunnel_max_age drain_delay drain_timeout
  tls_cert_file tls_key_file tls_client_ca_file log_level log_format log_email
  audit_log audit_fields tracing error_detail status_path report_only`.split(/\s+/)

const DEFAULTS = {
  mode: 'proxy',
  unsafe_http_jwks: 'false',
  jwks_timeout: '5s',
  jwks_refresh: '60s',
  jwks_cooldown: '10s',
  jwks_max_stale: '24h',
  listen: '0.0.0.0:8000',
  admin_listen: '0.0.0.0:8001',
  preset: 'pomerium',
  assertion_header: 'X-Pomerium-Jwt-Assertion',
  forward_assertion: 'false',
  algorithms: 'ES256',
  clock_skew: '60s',
  max_assertion_age: 'off',
  allow_anonymous: 'false',
  cors_preflight: 'verify',
  replay_guard: 'off',
  preserve_host: 'true',
  upstream_connect_timeout: '5s',
  upstream_response_timeout: '5m',
  header_timeout: '15s',
  body_idle_timeout: '60s',
  keep_alive_timeout: '65m',
  max_header_size: '128KiB',
  max_connections: '10000',
  tunnel_max_age: 'off',
  drain_delay: '5s',
  drain_timeout: '25s',
  log_level: 'info',
  log_format: 'json',
  log_email: 'true',
  audit_log: 'off',
  tracing: 'off',
  error_detail: 'code',
  status_path: '/.claimgate',
  report_only: 'off',
}

t.test('the table has every setting in the order of the reference, with its default', async (t) => {
  t.strictSame(SETTING_NAMES, NAMES)
  const defaults = SETTING_NAMES.map((name) => [name, settingOf(name).fallback])
  t.strictSame(Object.fromEntries(defaults.filter(([, text]) => text !== undefined)), DEFAULTS)
})

t.test('every default and example is a value its own parser accepts', async (t) => {
  for (const name of SETTING_NAMES) {
    const { kind, fallback, example } = settingOf(name)
    const text = fallback ?? example
    if (text !== undefined) t.ok('value' in kind.read(textInput(text, 'test')), `${name}: ${text}`)
  }
})

for (const [name, text] of Object.entries(GENERATED))
  t.test(`${name} is what the table of settings says (npm run docs writes it)`, async (t) => {
    t.equal(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'), text())
  })

t.test('the example is accepted and means the defaults', async (t) => {
  const { config } = readFileText(exampleText())
  t.strictSame(config, readEnvironment().config)
})

t.test('every line of the example that is a comment can be made live', async (t) => {
  const lines = exampleText().split('\n')
  const unset = new Set(['allow'])
  for (const name of SETTING_NAMES.filter((name) => name !== 'config')) {
    const line = lines.find((each) => each.replace('# ', '').startsWith(`${name}:`))
    t.ok(line, `${name} is mentioned`)
    if (unset.has(name)) continue
    const live = line?.replace('# ', '') ?? ''
    const text = `upstream: https://app:443\nroute: https://app.example.com\n`
    const base = text.replace(new RegExp(`^${name}: .*\n`, 'm'), '')
    const problems = linesOf(() => readFileText(`${base}${live}\n`))
    const own = problems.filter((each) => !/be set together with/.test(each))
    t.strictSame(own, [], `${name} is accepted`)
  }
})

t.test('the help names every flag with its default', async (t) => {
  for (const name of SETTING_NAMES) {
    const { fallback } = settingOf(name)
    const line = helpText()
      .split('\n')
      .find((each) => each.startsWith(`  ${flagName(name)}  `))
    t.ok(line, flagName(name))
    if (fallback !== undefined) t.match(line, `(default ${fallback})`)
  }
  t.notMatch(helpText(), '`')
  t.ok(
    helpText()
      .split('\n')
      .every((line) => line.length <= 100),
    'no line is wider than 100 characters',
  )
})

t.test('the table of the guide keeps its columns', async (t) => {
  const rows = settingsTable().trimEnd().split('\n')
  t.equal(rows.length, SETTING_NAMES.length + 2)
  for (const row of rows) t.equal(row.split(/(?<!\\)\|/).length, 6, row)
})

t.test('the schema allows the settings of a file and nothing else', async (t) => {
  const schema = JSON.parse(schemaText())
  t.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
  t.equal(schema.additionalProperties, false)
  t.strictSame(
    Object.keys(schema.properties),
    SETTING_NAMES.filter((name) => name !== 'config'),
  )
  t.match(schema.properties.forward_assertion, { type: 'boolean', default: false })
  t.match(schema.properties.max_connections, { type: 'integer', default: 10000, minimum: 1 })
  t.match(schema.properties.clock_skew, { type: 'string', default: '60s' })
})

t.test('names are spelled three ways', async (t) => {
  t.equal(envName('jwks_ca_file'), 'CLAIMGATE_JWKS_CA_FILE')
  t.equal(flagName('jwks_ca_file'), '--jwks-ca-file')
})
