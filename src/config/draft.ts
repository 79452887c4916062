import type { Problem } from '../errors.ts'
import { type Input, textInput } from './input.ts'
import { problem } from './problem.ts'
import type { SettingName } from './setting.ts'
import { SETTING_NAMES, settingOf } from './settings.ts'
import type { Values } from './values.ts'

/** All settings read one by one, not yet checked against each other. */
export interface Draft {
  /** Undefined as well when the value could not be read; {@link Draft.isBad} tells. */
  readonly get: <Name extends SettingName>(name: Name) => Values[Name] | undefined
  /** What an operator gave; undefined for a default. */
  readonly given: (name: SettingName) => Input | undefined
  readonly isBad: (name: SettingName) => boolean
  readonly problems: readonly Problem[]
}

/** Reads every setting from what was given, or from its default. */
export function createDraft(inputs: ReadonlyMap<SettingName, Input>): Draft {
  const values = new Map<SettingName, unknown>()
  const bad = new Set<SettingName>()
  const problems: Problem[] = []
  for (const name of SETTING_NAMES) {
    const { kind, fallback } = settingOf(name)
    const input = inputs.get(name) ?? defaultInput(fallback)
    const outcome = input === undefined ? { value: undefined } : kind.read(input)
    if ('value' in outcome) values.set(name, outcome.value)
    else {
      bad.add(name)
      problems.push(
        ...outcome.faults.map(({ source, must, got }) => problem(source, name, must, got)),
      )
    }
  }
  return {
    // The table of settings pairs each name with the type of its value.
    get: <Name extends SettingName>(name: Name) => values.get(name) as Values[Name] | undefined,
    given: (name) => inputs.get(name),
    isBad: (name) => bad.has(name),
    problems,
  }
}

const defaultInput = (fallback: string | undefined): Input | undefined =>
  fallback === undefined ? undefined : textInput(fallback, 'default')

/** Where the setting comes from: its source, or `default`. */
export const sourceOf = (draft: Draft, name: SettingName): string =>
  draft.given(name)?.source ?? 'default'
