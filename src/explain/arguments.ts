/** The command line of explain, taken apart. */
export interface ExplainArguments {
  /** What stands on the command line that is no flag, joined by blanks; `undefined`: read standard input. */
  readonly pasted: string | undefined
  readonly format: 'text' | 'json'
  /** The rest: settings. */
  readonly flags: readonly string[]
}

/** `--some-name VALUE` takes the next word, as in the settings; `--json` does not; `-` stands for standard input. */
export function readArguments(words: readonly string[]): ExplainArguments {
  const flags: string[] = []
  const pasted: string[] = []
  const rest = words.filter((word) => word !== '--json')
  for (const [i, word] of rest.entries()) {
    const isFlag = word.startsWith('--')
    ;(isFlag || takesNext(rest[i - 1]) ? flags : pasted).push(word)
  }
  const text = pasted.join(' ')
  return {
    pasted: pasted.length === 0 || text === '-' ? undefined : text,
    format: words.includes('--json') ? 'json' : 'text',
    flags,
  }
}

/** A flag without its value: the next word is it, unless that is a flag, too. */
const takesNext = (word: string | undefined): boolean =>
  word?.startsWith('--') === true && !word.includes('=')
