import type { IdentityHeader } from './config.ts'
import { PRESETS } from './presets.ts'
import type { Setting, SettingName } from './setting.ts'
import { flagName, SETTING_NAMES, settingOf } from './settings.ts'

const WIDTH = 96

const USAGE = `claimgate: forwards a request to the app only when its Pomerium assertion verifies

Usage: claimgate [COMMAND] [--some-name VALUE | --some-name=VALUE]...
       claimgate --help | --version

Commands:
  serve   run the proxy (the default)
  check   show the settings in effect and where each comes from, or all that is wrong with them
  explain [TOKEN|-] [--json]
          judge an assertion, a header line or a curl command (argument or standard input) as serve
          would: each check, what it saw and wanted, which setting to change, the identity headers
  doctor [--json]
          look at the way to the key set and what it holds, the clocks, the app and ways around it
  report [--json]
          sum up the log of serve (standard input) by code and path, and say what to change
  preset [NAME] [--json]
          list the presets, or tell of one its headers, what the app must be set to, and settings
  demo    try it on this machine, without Pomerium and without settings

A setting is --some-name here, CLAIMGATE_SOME_NAME in the environment and some_name: in the YAML
file of --config. The flag wins over the environment, that over the file, that over the default.

Settings:
`

/** The text of `claimgate --help`. */
export const helpText = (): string => `${USAGE}${SETTING_NAMES.map(helpEntry).join('')}`

function helpEntry(name: SettingName): string {
  const { kind, summary } = settingOf(name)
  const head = `  ${flagName(name)}  ${plain(kind.form)}${plain(defaultNote(settingOf(name)))}`
  return `${head}\n${wrap(plain(summary), '      ')}`
}

const defaultNote = (setting: Setting<unknown>): string => {
  const text = defaultCell(setting)
  if (text === '') return ''
  return setting.otherwise === undefined ? ` (default ${text})` : ` (${text})`
}

const defaultCell = ({ fallback, otherwise }: Setting<unknown>): string =>
  otherwise ?? (fallback === undefined ? '' : `\`${fallback}\``)

const plain = (markdown: string): string => markdown.replaceAll('`', '')

function wrap(text: string, prefix: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && prefix.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((each) => `${prefix}${each}\n`).join('')
}

/** The table of docs/configuration.md. */
export const settingsTable = (): string =>
  table(
    ['setting', 'value', 'default', 'meaning'],
    SETTING_NAMES.map((name) => {
      const setting = settingOf(name)
      return [`\`${name}\``, setting.kind.form, defaultCell(setting) || '–', setting.summary]
    }),
  )

/** The table of presets in docs/configuration.md. */
export const presetsTable = (): string =>
  table(
    ['preset', 'headers and their claims', 'only stripped', 'whose'],
    Object.entries(PRESETS).map(([name, { headers, reserved, summary }]) => [
      `\`${name}\``,
      headers.map(presetMapping).join('; '),
      reserved.map((header) => `\`${header}\``).join(' '),
      summary,
    ]),
  )

function presetMapping({
  header,
  claims,
  separator,
  encoding,
  transforms,
}: IdentityHeader): string {
  const separated = separator === ',' ? '' : `, separated by \`${separator}\``
  const encoded = encoding === 'utf8' ? '' : ` in \`${encoding}\``
  const changed = transforms.map((transform) => ` (\`${transform}\`)`).join('')
  return `\`${header}\`: ${claims.join(', else ')}${changed}${separated}${encoded}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('')
}

/** The text of config.schema.json: JSON Schema 2020-12 of the settings file. */
export function schemaText(): string {
  const names = SETTING_NAMES.filter((name) => name !== 'config')
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of claimgate',
    description: 'Durations and sizes carry a unit: 500ms, 60s, 10m, 24h; 512B, 64KiB, 1MiB.',
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, schemaEntry(settingOf(name))])),
    additionalProperties: false,
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

function schemaEntry({ kind, summary, fallback }: Setting<unknown>) {
  const { type } = kind.schema
  const isLiteral = type === 'boolean' || type === 'integer'
  return {
    description: plain(summary),
    ...(fallback === undefined
      ? {}
      : { default: isLiteral ? (JSON.parse(fallback) as unknown) : fallback }),
    ...kind.schema,
  }
}

const EXAMPLE_HEAD = `# yaml-language-server: $schema=./config.schema.json
#
# All settings of claimgate with their defaults. Start with: claimgate --config FILE
# Durations and sizes carry a unit: 500ms, 60s, 10m, 24h; 512B, 64KiB, 1MiB.
`

const LIVE: readonly SettingName[] = ['upstream', 'route']

/** The text of config.example.yaml. Only what everybody must set is live. */
export const exampleText = (): string =>
  `${EXAMPLE_HEAD}${SETTING_NAMES.filter((name) => name !== 'config')
    .map(exampleEntry)
    .join('')}`

function exampleEntry(name: SettingName): string {
  const { summary, fallback, example } = settingOf(name)
  const value = fallback ?? example
  const line = value === undefined ? `${name}:` : `${name}: ${value}`
  const live = LIVE.includes(name) ? line : `# ${line}`
  return `\n${wrap(plain(summary), '# ')}${live}\n`
}
