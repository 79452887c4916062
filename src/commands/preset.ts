import type { IdentityHeader } from '../config/config.ts'
import { nearest } from '../config/nearest.ts'
import { PRESET_GUIDES } from '../config/preset-guides.ts'
import { PRESET_NAMES, PRESETS, type Preset, type PresetName } from '../config/presets.ts'

export interface PresetInvocation {
  /** A name or nothing, and `--json`. */
  readonly flags: readonly string[]
  /** Takes whole lines for standard output. */
  write(text: string): void
  writeError(text: string): void
}

/** sysexits.h EX_USAGE. */
const EX_USAGE = 64

/**
 * `claimgate preset`: lists the presets, or tells of one what it sends, what the app must be set to, and the settings of
 * claimgate for it. Returns the exit code: 0, or 64 for a name that is none.
 */
export function preset({ flags, write, writeError }: PresetInvocation): 0 | 64 {
  const [name, ...others] = flags.filter((word) => word !== '--json')
  const isJson = flags.includes('--json')
  if (name === undefined) {
    write(isJson ? json(PRESET_NAMES.map(describe)) : listText())
    return 0
  }
  if (!isPresetName(name) || others.length > 0) {
    const guess = nearest(name, PRESET_NAMES)
    const hint = guess === undefined ? '' : `; did you mean ${guess}?`
    writeError(`claimgate: wanted is one preset of: ${PRESET_NAMES.join(' ')}${hint}\n`)
    return EX_USAGE
  }
  write(isJson ? json(describe(name)) : presetText(name))
  return 0
}

const isPresetName = (name: string): name is PresetName => Object.hasOwn(PRESETS, name)
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const describe = (name: PresetName) => {
  const { headers, reserved, summary }: Preset = PRESETS[name]
  return { name, summary, headers, reserved, ...PRESET_GUIDES[name], claimgate: snippet(name) }
}

const WIDTH = Math.max(...PRESET_NAMES.map(({ length }) => length))

const listText = (): string =>
  PRESET_NAMES.map((name) => `${name.padEnd(WIDTH)}  ${plain(PRESETS[name].summary)}\n`).join('')

/** Markdown without its marks; links become `text (address)`. */
const plain = (markdown: string): string =>
  markdown.replace(/\[([^\]]*)\]\(([^)]*)\)/g, '$1 ($2)').replaceAll('`', '')

/** A settings file that needs only the two addresses. */
const snippet = (name: PresetName): string =>
  `route: https://app.example.com\nupstream: http://127.0.0.1:3000\npreset: ${name}\n`

function presetText(name: PresetName): string {
  const { headers, reserved, summary }: Preset = PRESETS[name]
  const { place, app, trustedProxy } = PRESET_GUIDES[name]
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['headers', headers.map(headerLine)],
    ['stripped from clients and never set', reserved],
    [`the app (${place})`, app],
    ['its trusted proxy', [trustedProxy]],
    ['claimgate (claimgate.yaml)', snippet(name).trimEnd().split('\n')],
  ]
  const text = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`)
  return `${name}: ${plain(summary)}\n${text.join('')}`
}

function headerLine({ header, claims, separator, encoding, transforms }: IdentityHeader): string {
  const notes = [
    encoding,
    ...transforms,
    ...(claims.includes('groups') ? [`joined by ${separator}`] : []),
  ]
  return `${header}: ${claims.join(', else ')} (${notes.join(', ')})`
}
