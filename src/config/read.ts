import { ConfigError } from '../errors.ts'
import type { Config } from './config.ts'
import { createDraft } from './draft.ts'
import { type EffectiveValue, effectiveValues } from './effective.ts'
import { type Env, readEnv } from './env.ts'
import { type FileFound, readYaml } from './file.ts'
import { readFlags } from './flags.ts'
import { type Input, textInput } from './input.ts'
import { problem } from './problem.ts'
import { type ReadFile, readText } from './read-text.ts'
import { crossProblems } from './rules.ts'
import type { SettingName } from './setting.ts'
import { SETTINGS } from './settings.ts'
import { toConfig } from './to-config.ts'
import { settingWarnings } from './warnings.ts'

/** Where settings come from; nothing else is looked at. */
export interface Sources {
  /** The command line without program and command. */
  readonly flags: readonly string[]
  readonly env: Env
  readonly readFile: ReadFile
  /** For a command that does without some required setting: what stands for it where nobody gave it. */
  readonly standIns?: ReadonlyMap<SettingName, string>
}

export interface ReadResult {
  readonly config: Config
  readonly values: readonly EffectiveValue[]
  /** What an operator should know; nothing is refused for it. */
  readonly warnings: readonly string[]
}

/**
 * Reads and checks all settings: a flag wins over the environment, that over the file, that over the default. Only the
 * winning value of a setting is checked. Files that settings name (keys, certificates) are not opened.
 *
 * @throws ConfigError with every problem there is
 */
export function readConfig({ flags, env, readFile, standIns }: Sources): ReadResult {
  const fromFlags = readFlags(flags)
  const fromEnv = readEnv(env, readFile)
  const fromFile = readSettingsFile(
    fromFlags.inputs.get('config') ?? fromEnv.inputs.get('config'),
    readFile,
  )
  const given = [standInInputs(standIns), fromFile.inputs, fromEnv.inputs, fromFlags.inputs]
  const draft = createDraft(new Map(given.flatMap((inputs) => [...inputs])))
  const problems = [
    ...[fromFlags, fromEnv, fromFile, draft].flatMap((each) => each.problems),
    // What a broken file would have set is not known, so nothing can be called missing.
    ...(fromFile.isBroken ? [] : crossProblems(draft)),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    config: toConfig(draft),
    values: effectiveValues(draft),
    warnings: [...fromEnv.warnings, ...settingWarnings(draft)],
  }
}

const standInInputs = (texts: Sources['standIns'] = new Map()): Map<SettingName, Input> =>
  new Map([...texts].map(([name, text]) => [name, textInput(text, 'not set')]))

function readSettingsFile(path: Input | undefined, readFile: ReadFile): FileFound {
  const empty = { inputs: new Map(), problems: [] }
  if (path === undefined) return { ...empty, isBroken: false }
  const outcome = SETTINGS.config.kind.read(path)
  // The draft reports what is wrong with the path itself.
  if ('faults' in outcome || outcome.value === undefined) return { ...empty, isBroken: true }
  const text = readText(outcome.value, readFile)
  if (typeof text === 'string') return readYaml(text, outcome.value)
  const problems = [problem(path.source, 'config', 'name a readable YAML file', text.got)]
  return { ...empty, problems, isBroken: true }
}
