import type { Sources } from '../../../src/config/read.ts'
import type { SettingName } from '../../../src/config/setting.ts'
import { envName, flagName, SETTING_NAMES, settingOf } from '../../../src/config/settings.ts'
import type { Random } from '../random.ts'
import { ODD, VALUES, YAML } from './catalogue.ts'

/** All that settings are read from, as plain data. */
export interface Given {
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** By path; everything else is absent. */
  readonly files: Readonly<Record<string, string>>
}

/** Where a secret may stand by mistake; nothing that is printed may hold it. */
export const SECRET = 's3cretpassw0rd'
const SECRET_VALUES = [
  `https://user:${SECRET}@a.example.com`,
  `http://${SECRET}@127.0.0.1:3000`,
  `https://a.example.com/jwks?key=${SECRET}`,
  `-----BEGIN PRIVATE KEY-----${SECRET}-----END PRIVATE KEY-----`,
  `eyJhbGciOiJFUzI1NiJ9.${SECRET}.x`,
  `https://user:${SECRET}@a/, https://b`,
]

const FILE = 'c.yaml'

/** Settings by flag, variable and file: good ones that start, then some that are changed. */
export function createSources(random: Random): Given {
  const flags: string[] = []
  const env: Record<string, string> = {}
  const files: Record<string, string> = {}
  const lines: string[] = []
  const give = (name: SettingName, value: string) => {
    random.weighted<() => unknown>([
      [
        30,
        () =>
          flags.push(
            ...(random.chance(50) ? [`${flagName(name)}=${value}`] : [flagName(name), value]),
          ),
      ],
      [30, () => Object.assign(env, { [envName(name)]: value })],
      [30, () => lines.push(`${name}: ${random.chance(60) ? JSON.stringify(value) : value}\n`)],
      [
        5,
        () => {
          env[`${envName(name)}_FILE`] = `/secrets/${name}`
          files[`/secrets/${name}`] = random.chance(50) ? `${value}\n` : value
        },
      ],
    ])()
  }
  if (random.chance(95)) give('upstream', 'http://127.0.0.1:3000')
  if (random.chance(95)) give('route', 'https://app.example.com')
  for (let i = random.int(6); i > 0; i--) {
    const name = random.pick(SETTING_NAMES)
    give(name, createValue(random, name))
  }
  if (random.chance(12)) flags.splice(random.int(flags.length + 1), 0, createFlag(random))
  if (random.chance(12)) env[createVariable(random)] = random.pick(ODD)
  if (random.chance(20)) lines.push(random.pick(YAML))
  if (lines.length > 0 || random.chance(10)) {
    const text = lines.join('')
    files[FILE] = random.chance(25) ? editYaml(random, text) : text
    if (random.chance(50)) flags.push(`--config=${FILE}`)
    else env['CLAIMGATE_CONFIG'] = FILE
  }
  if (random.chance(2)) env['CLAIMGATE_CONFIG'] = 'absent.yaml'
  return { flags, env, files }
}

/** Settings of which one holds a secret where it should not be. */
export function createSecretSources(random: Random): Given {
  const name = random.pick(SETTING_NAMES)
  const value = random.pick(SECRET_VALUES)
  const env = {
    CLAIMGATE_UPSTREAM: 'http://127.0.0.1:3000',
    CLAIMGATE_ROUTE: 'https://a.example.com',
  }
  return random.pick<Given>([
    { flags: [], env: { ...env, [envName(name)]: value }, files: {} },
    { flags: [`${flagName(name)}=${value}`], env, files: {} },
    { flags: ['--config', FILE], env, files: { [FILE]: `${name}: ${JSON.stringify(value)}\n` } },
    {
      flags: ['--config', FILE],
      env,
      files: { [FILE]: `${name}: [a, ${JSON.stringify(value)}]\n` },
    },
  ])
}

/** As the program takes them; a file that is not there throws as the system does. */
export const sourcesOf = ({ flags, env, files }: Given): Sources => ({
  flags,
  env,
  readFile: (path) => {
    const text = Object.hasOwn(files, path) ? files[path] : undefined
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  },
})

function createValue(random: Random, name: SettingName): string {
  const { fallback, example } = settingOf(name)
  const own = [...(VALUES[name] ?? []), fallback, example].filter((text) => text !== undefined)
  const value = own.length > 0 && random.chance(80) ? random.pick(own) : random.pick(ODD)
  return random.chance(10) ? editText(random, value) : value
}

const createFlag = (random: Random): string =>
  random.pick([
    '--',
    '-',
    '---',
    '--=',
    '--unknown',
    '--unknown=1',
    '--help',
    '-v',
    'stray',
    '',
    '--UPSTREAM=x',
    '--log_level=info',
    flagName(random.pick(SETTING_NAMES)),
    editText(random, flagName(random.pick(SETTING_NAMES))),
  ])

const createVariable = (random: Random): string =>
  random.pick([
    'CLAIMGATE_',
    'CLAIMGATE_UNKNOWN',
    'CLAIMGATE_PORT',
    'CLAIMGATE_SERVICE_HOST',
    'CLAIMGATE_PORT_8000_TCP_ADDR',
    'CLAIMGATE_CONFIG_FILE',
    'JWKS_ENDPOINT',
    'EXPECTED_JWT_ISSUER',
    'EXPECTED_JWT_AUDIENCE',
    'EXTRA_CA_CERTS',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'NODE_OPTIONS',
    'HTTPS_PROXY',
    `CLAIMGATE_${random.text(6, 'AZ_a\u00e9\n ')}`,
    editText(random, envName(random.pick(SETTING_NAMES))),
  ])

const MARKS = '[]{}:,-#&*!|>\'"%@` \n\tab0\\~?=\0\ufeff\u2028\u00e9'

function editText(random: Random, text: string): string {
  const at = random.int(text.length + 1)
  return random.pick([
    text.slice(0, at) + random.text(1, MARKS) + text.slice(at),
    text.slice(0, at) + text.slice(at + 1),
    text.slice(0, at),
    text.toUpperCase(),
    text + text,
    `${text},${text}`,
  ])
}

function editYaml(random: Random, text: string): string {
  const lines = text.split('\n')
  const at = random.int(lines.length)
  const line = lines[at] ?? ''
  return random.pick([
    editText(random, editText(random, text)),
    lines.with(at, ` ${line}`).join('\n'),
    lines.with(at, `\t${line}`).join('\n'),
    lines.toSpliced(at, 0, line).join('\n'),
    text.replaceAll('\n', '\r\n'),
    text.replaceAll('\n', '\r'),
    `---\n${text}...\n`,
    `{${lines.filter((each) => each !== '').join(', ')}}`,
    text.replaceAll(': ', ':'),
    text.slice(0, -1),
  ])
}
