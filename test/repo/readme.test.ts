import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { PRESETS } from '../../src/config/presets.ts'
import { readConfig } from '../../src/config/read.ts'
import { envName, SETTING_NAMES } from '../../src/config/settings.ts'
import { readStandInSettings } from '../../src/demo/stand-in-settings.ts'
import { fences, programCalls, section } from '../helpers/markdown.ts'

const README = readFileSync('README.md', 'utf8')
const GUIDES = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...globSync(['docs/*.md', 'docs/guides/*.md']),
]

interface Compose {
  readonly services: Record<string, { readonly environment?: Record<string, string> }>
}

const SETTING_FOR_A_FILE = /_FILE$/

t.test('every CLAIMGATE_ name in a guide is a setting', async (t) => {
  const known = new Set(SETTING_NAMES.map(envName))
  const notSettings = new Set([
    'CLAIMGATE_SOME_NAME',
    'CLAIMGATE_SERVICE_HOST',
    'CLAIMGATE_PORT',
    'CLAIMGATE_PORT_8000_TCP',
  ])
  for (const guide of GUIDES) {
    const names = readFileSync(guide, 'utf8').match(/CLAIMGATE_[A-Z0-9_]*[A-Z0-9]/g) ?? []
    for (const name of new Set(names)) {
      const isKnown = known.has(name) || known.has(name.replace(SETTING_FOR_A_FILE, ''))
      const isExample = notSettings.has(name.replace(SETTING_FOR_A_FILE, ''))
      t.ok(isKnown || isExample, `${guide}: ${name}`)
    }
  }
})

t.test('every flag and claimgate command of the README exists', async (t) => {
  const flags = [...README.matchAll(/ --([a-z][a-z-]*)/g)].map(([, name = '']) => name)
  const ofOthers = new Set(['build'])
  for (const flag of new Set(flags.filter((name) => !ofOthers.has(name))))
    t.ok((SETTING_NAMES as readonly string[]).includes(flag.replaceAll('-', '_')), `--${flag}`)
  const calls = programCalls(README, 'claimgate').map(([first = '']) => first)
  for (const command of calls.filter((word) => /^[a-z]+$/.test(word)))
    t.ok(existsSync(`src/commands/${command}.ts`), command)
  t.ok(calls.includes('check'))
  const missing = section(README, '## Not there yet').match(/`claimgate ([a-z]+)`/g) ?? []
  for (const command of missing)
    t.notOk(existsSync(`src/commands/${command.slice(11, -1)}.ts`), `${command} is there`)
})

t.test('every npm script of a guide exists', async (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const guide of GUIDES)
    for (const [, name = ''] of readFileSync(guide, 'utf8').matchAll(/npm run ([a-z][a-z0-9-]*)/g))
      t.ok(Object.hasOwn(scripts, name), `${guide}: npm run ${name}`)
})

/** The anchors GitHub gives to headings. */
const anchorsOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )

t.test('every relative link of a guide leads to a file, and to a heading of it', async (t) => {
  for (const guide of GUIDES) {
    const text = readFileSync(guide, 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? guide : join(dirname(guide), path)
      t.ok(existsSync(file), `${guide}: ${target}`)
      if (anchor !== undefined && existsSync(file))
        t.ok(anchorsOf(file).includes(anchor), `${guide}: #${anchor}`)
    }
  }
})

const SNIPPETS = fences(README, 'yaml')
const readFile = (): never => {
  throw new Error('no file is read')
}

t.test('the compose snippet is short, and its stand-in leads to its claimgate', async (t) => {
  t.ok((SNIPPETS[0] ?? '').trim().split('\n').length <= 25, 'at most 25 lines')
  const { services } = parse(SNIPPETS[0] ?? '') as Compose
  const env = services['claimgate']?.environment ?? {}
  const { config } = readConfig({ flags: [], env, readFile })
  const { routes, listen } = readStandInSettings(services['stand-in']?.environment ?? {})
  t.strictSame(routes[0]?.hosts, config.audiences)
  t.strictSame(config.issuers, config.audiences)
  t.equal(routes[0]?.upstream.host, `claimgate:${config.listen.port}`)
  t.match(config.upstream, { protocol: 'http:', hostname: 'httpbin' })
  t.ok(Object.hasOwn(services, 'httpbin'))
  t.match(config.keySet, {
    uri: { href: `http://stand-in:${listen.port}/.well-known/pomerium/jwks.json` },
  })
})

t.test('the settings for a real app are accepted as they stand', async (t) => {
  const { services } = parse(SNIPPETS[1] ?? '') as Compose
  const env = services['claimgate']?.environment ?? {}
  const { config } = readConfig({ flags: [], env, readFile })
  t.strictSame(config.audiences, ['grafana.example.com'])
  t.strictSame(config.identityHeaders, PRESETS.grafana.headers)
})

t.test('it names every preset, and no document calls a setting not supported yet', async (t) => {
  for (const name of Object.keys(PRESETS)) t.match(README, `\`${name}\``, name)
  for (const guide of GUIDES) t.notMatch(readFileSync(guide, 'utf8'), 'not supported yet', guide)
})
