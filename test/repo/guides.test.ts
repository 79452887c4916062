import { existsSync, globSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { METRICS } from '../../src/admin/metrics.ts'
import { check } from '../../src/commands/check.ts'
import type { Config } from '../../src/config/config.ts'
import { PRESET_NAMES } from '../../src/config/presets.ts'
import { readConfig } from '../../src/config/read.ts'
import { SETTING_NAMES } from '../../src/config/settings.ts'
import { DEMO_USERS } from '../../src/demo/users.ts'
import { CODES } from '../../src/errors.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import { codeSpans, commands, fences, programCalls, tableRows } from '../helpers/markdown.ts'

const GUIDES = globSync('docs/guides/*.md')
  .sort()
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
const INDEX = GUIDES.find(({ path }) => path === 'docs/guides/README.md')?.text ?? ''

const SETTINGS: readonly string[] = SETTING_NAMES
const PRESETS: readonly string[] = PRESET_NAMES

/** Names with underscores that belong to Pomerium, Envoy, Grafana and so on. */
const OF_OTHERS = new Set(
  `signing_key pass_identity_headers preserve_host_header allow_websockets idle_timeout jwt_claims_headers
  allow_public_unauthenticated_access http_x_remote_user remote_user preferred_username openwebui_role
  jwt_authn auth_request expect_claims headers_encoded from_headers value_prefix from_params from_cookies http_uri
  transport_socket trusted_ca cache_duration async_fetch local_jwks claim_to_headers forward_payload_header
  clock_skew_seconds require_expiration max_lifetime allow_missing allow_missing_or_failed bypass_cors_preflight
  request_id remote_jwks node_modules`.split(/\s+/),
)

const isName = (name: string): boolean =>
  SETTINGS.includes(name) || OF_OTHERS.has(name) || Object.hasOwn(METRICS, name)

type Yaml = Readonly<Record<string, unknown>>

interface Compose {
  readonly services: Readonly<Record<string, { readonly environment?: Record<string, string> }>>
}

interface Route {
  readonly from: string
  readonly to: string
  readonly pass_identity_headers: boolean
}

const isSettings = (block: Yaml): boolean =>
  Object.keys(block).every((name) => SETTINGS.includes(name))

const readNothing = (path: string): never => {
  throw new Error(`${path} is not to be read`)
}

const fromFile = (block: string): Config => {
  const readFile = (path: string) => (path === 'guide.yaml' ? block : readNothing(path))
  return readConfig({ flags: ['--config', 'guide.yaml'], env: {}, readFile }).config
}

const settingsBlocks = (text: string): readonly string[] =>
  fences(text, 'yaml').filter((block) => isSettings(parse(block) as Yaml))

t.test('every guide is in the index, and the index is linked from the README', async (t) => {
  t.ok(GUIDES.length >= 14)
  for (const { path } of GUIDES)
    t.ok(path.endsWith('/README.md') || INDEX.includes(`](${path.slice(12)})`), path)
  t.match(readFileSync('README.md', 'utf8'), '](docs/guides/README.md)')
})

t.test('a guide is short, and says whether our tests run its app', async (t) => {
  for (const { path, text } of GUIDES) {
    t.ok(text.trimEnd().split('\n').length <= 120, `${path} has at most 120 lines`)
    const isApp = /## (?:\w+' |\S+ ?\w*'s )side/.test(text)
    if (isApp) t.match(text, /in\s+our\s+tests|not run by\s+our\s+tests/, path)
  }
})

t.test('every block of settings, services and routes can be used as it stands', async (t) => {
  for (const { path, text } of GUIDES)
    for (const [index, block] of fences(text, 'yaml').entries()) {
      const label = `${path}, yaml block ${index + 1}`
      const yaml = parse(block) as Yaml & Partial<Compose> & { readonly routes?: Route[] }
      if (isSettings(yaml)) t.doesNotThrow(() => fromFile(block), label)
      else if (yaml.services !== undefined) checkServices(t, yaml.services, label)
      else if (yaml.routes !== undefined) checkRoutes(t, yaml.routes, settingsBlocks(text), label)
      else t.match(yaml, { apiVersion: String, kind: String }, `${label} is of a known kind`)
    }
})

function checkServices(t: Test, services: Compose['services'], label: string): void {
  const environments = Object.entries(services)
    .filter(([name]) => name.startsWith('claimgate'))
    .map(([, service]) => service.environment ?? {})
  t.equal(environments.length, 1, label)
  for (const env of environments)
    t.doesNotThrow(() => readConfig({ flags: [], env, readFile: readNothing }), label)
}

function checkRoutes(
  t: Test,
  routes: readonly Route[],
  settings: readonly string[],
  label: string,
): void {
  for (const { from, to, pass_identity_headers } of routes) {
    t.equal(pass_identity_headers, true, `${label}: there is an assertion`)
    t.match(to, /^http:\/\/claimgate(?:-app)?:8000$/, label)
    for (const block of settings)
      t.strictSame(fromFile(block).audiences, [new URL(from).hostname], `${label}: ${from}`)
  }
}

/** The flag that a guide gives as an example of a mistake. */
const MISTAKE = 'audence'

const COMMANDS = ['serve', ...globSync('src/commands/*.ts').map((path) => path.slice(13, -3))]
const FLAGS = [...SETTINGS.map((name) => name.replaceAll('_', '-')), 'json', 'version', 'help']

t.test('every command, flag and program of a guide exists', async (t) => {
  const calls = GUIDES.flatMap(({ path, text }) =>
    programCalls(text, 'claimgate').map((words) => ({ path, words })),
  )
  t.ok(calls.length > 15, `${calls.length} calls`)
  for (const { path, words } of calls) {
    const [first = ''] = words
    if (/^[a-z]+$/.test(first)) t.ok(COMMANDS.includes(first), `${path}: claimgate ${first}`)
    for (const flag of words.flatMap((word) => /^--([a-z-]+)/.exec(word)?.[1] ?? []))
      t.ok(FLAGS.includes(flag) || flag === MISTAKE, `${path}: --${flag}`)
  }
  for (const { path, text } of GUIDES)
    for (const [, program] of text.matchAll(/\bdist\/([\w/-]+)\.js\b/g))
      t.ok(existsSync(`src/${program}.ts`), `${path}: dist/${program}.js`)
})

t.test('every setting, preset, code and variable that a guide names exists', async (t) => {
  const standIn = readFileSync('src/demo/stand-in-settings.ts', 'utf8')
  for (const { path, text } of GUIDES) {
    for (const [, name = ''] of codeSpans(text).flatMap((span) => [
      ...span.matchAll(/^([a-z]+(?:_[a-z0-9]+)+)\b/g),
    ]))
      t.ok(isName(name), `${path}: ${name}`)
    for (const [, name = ''] of codeSpans(text)
      .join('\n')
      .matchAll(/^preset: (\S+)/gm))
      t.ok(PRESETS.includes(name), `${path}: preset ${name}`)
    for (const [code] of text.matchAll(/\bERR_[A-Z_]+/g))
      t.ok(Object.hasOwn(CODES, code), `${path}: ${code}`)
    for (const [name] of text.matchAll(/\b(?:UNSAFE_)?STAND_IN_[A-Z]+/g))
      t.ok(standIn.includes(name), `${path}: ${name}`)
  }
})

t.test('what a table says of the other program is a setting here', async (t) => {
  for (const { path, text } of GUIDES.filter((guide) => guide.path.includes('/from-'))) {
    const rows = tableRows(text)
    t.ok(rows.length > 5, path)
    for (const span of rows.flatMap(([, ours = '']) => codeSpans(ours))) {
      const [name = ''] = /^[a-z_]+/.exec(span) ?? []
      t.ok(SETTINGS.includes(name) || span.startsWith('/'), `${path}: ${span}`)
    }
  }
})

t.test('a link by reference has its address', async (t) => {
  for (const { path, text } of GUIDES)
    for (const [, name = ''] of text.matchAll(/\][[]([^\]\n]+)\]/g))
      t.ok(text.includes(`\n[${name}]: https://`), `${path}: [${name}]`)
})

/** The claims that the stand-in signs for one of its people, as far as headers are made of them. */
const claimsOf = (login: string) => {
  const user = DEMO_USERS.find((each) => each.login === login)
  if (user === undefined) throw new Error(`nobody is called ${login}`)
  return { ...user, sub: user.id, user: user.id, groups: [...user.groups] }
}

/** httpbin reads header bytes as Latin-1, the form in which they are made. */
const headersOf = (config: Config, login: string): Record<string, string> => {
  const { lines } = createIdentityHeaders(config.identityHeaders)(claimsOf(login))
  const pairs = lines.flatMap((name, at) => (at % 2 === 0 ? [[name, lines[at + 1] ?? '']] : []))
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name.toLowerCase(), value]))
}

t.test('the headers that a guide shows are those that its settings make', async (t) => {
  const shown = GUIDES.flatMap(({ path, text }) =>
    commands(text)
      .filter(({ output }) => output.startsWith('{"headers":'))
      .map((command) => ({ path, text, ...command })),
  ).filter(({ command }) => command.includes('demo_user='))
  t.ok(shown.length >= 11, `${shown.length} answers of httpbin`)
  for (const { path, text, command, output } of shown) {
    const config = fromFile(settingsBlocks(text)[0] ?? '')
    const [, login = ''] = /demo_user=(\w+)/.exec(command) ?? []
    const answer = JSON.parse(output).headers as Record<string, string>
    const received = Object.entries(answer)
      .filter(
        ([name]) => !['Accept', 'Host', 'User-Agent', 'X-Pomerium-Jwt-Assertion'].includes(name),
      )
      .map(([name, value]) => [name.toLowerCase(), value])
    t.strictSame(Object.fromEntries(received), headersOf(config, login), `${path}: ${command}`)
  }
})

t.test('what a guide shows of claimgate check is what it writes', async (t) => {
  const shown = GUIDES.flatMap(({ text }) => commands(text)).filter(({ command }) =>
    / ?claimgate check\b/.test(command),
  )
  t.equal(shown.length, 2)
  for (const { command, output } of shown) {
    const [before = '', after = ''] = command.split('claimgate check')
    const env = Object.fromEntries(
      before
        .trim()
        .split(' ')
        .map((pair) => pair.split('=')),
    )
    const written: string[] = []
    const write = (text: string) => void written.push(text)
    const flags = after.split(' ').filter((word) => word !== '')
    check({ flags, env, readFile: readNothing, write })
    t.equal(written.join('').trim(), output, command)
  }
})
