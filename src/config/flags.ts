import type { Problem } from '../errors.ts'
import { type Input, quote, textInput } from './input.ts'
import { problem, unknownName } from './problem.ts'
import type { SettingName } from './setting.ts'
import { flagName, SETTING_NAMES } from './settings.ts'

/** What one source of settings holds, and what in it is no setting. */
export interface Found {
  readonly inputs: ReadonlyMap<SettingName, Input>
  readonly problems: readonly Problem[]
}

const NAMES = new Map(SETTING_NAMES.map((name) => [flagName(name), name]))

/** Reads `--some-name value` and `--some-name=value`. A value that begins with `--` needs the second form. */
export function readFlags(words: readonly string[]): Found {
  const inputs = new Map<SettingName, Input>()
  const problems: Problem[] = []
  for (const { flag, text } of pairs(words)) {
    const name = NAMES.get(flag)
    const source = `flag ${flag}`
    if (name === undefined) problems.push(unknownFlag(flag))
    else if (text === undefined)
      problems.push(problem(source, name, `have a value (${flag} VALUE or ${flag}=VALUE)`, 'none'))
    else if (inputs.has(name))
      problems.push(problem(source, name, 'be given once', `${quote(text)} as well`))
    else inputs.set(name, textInput(text, source))
  }
  return { inputs, problems }
}

interface Pair {
  readonly flag: string
  readonly text: string | undefined
}

function pairs(words: readonly string[]): Pair[] {
  const result: Pair[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const next = words[i + 1]
    const equals = word.indexOf('=')
    if (!word.startsWith('--')) result.push({ flag: word, text: undefined })
    else if (equals !== -1)
      result.push({ flag: word.slice(0, equals), text: word.slice(equals + 1) })
    else if (next === undefined || next.startsWith('--'))
      result.push({ flag: word, text: undefined })
    else {
      result.push({ flag: word, text: next })
      i++
    }
  }
  return result
}

function unknownFlag(flag: string): Problem {
  if (!/^--[\w-]{1,64}$/.test(flag))
    return problem('flags', 'each one', 'be --some-name VALUE or --some-name=VALUE', quote(flag))
  return unknownName(`flag ${flag}`, flag, [...NAMES.keys()])
}
