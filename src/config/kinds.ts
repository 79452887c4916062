import { type Fault, type Input, type Outcome, refuse, textInput } from './input.ts'

export type JsonSchema = { readonly [keyword: string]: unknown }

/** How values of one kind are written and read. */
export interface Kind<T> {
  /** For people, in the reference: `duration`, `list of host:port`. */
  readonly form: string
  readonly schema: JsonSchema
  readonly read: (input: Input) => Outcome<T>
}

/** The result of reading one text: its value, or what it must be (`be true or false`). */
export type Reading<T> = { readonly value: T } | { readonly must: string }

const LIST_LIMIT = 1000

/**
 * A kind written as one text. Refuses before `read`: lists and maps, empty text, white space around it (Compose and
 * env files add it unseen), control characters.
 */
export function scalar<T>(
  form: string,
  schema: JsonSchema,
  read: (text: string) => Reading<T>,
): Kind<T> {
  return {
    form,
    schema,
    read(input) {
      if (input.kind !== 'text') return refuse(input, `be one ${form}`)
      const result = untidy(input.text) ?? read(input.text)
      return 'must' in result ? refuse(input, result.must) : result
    },
  }
}

function untidy(text: string): { readonly must: string } | undefined {
  if (text === '') return { must: 'have a value (leave the setting out to use its default)' }
  if (text.trim() !== text) return { must: 'not begin or end with white space' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return /[\u0000-\u001f\u007f-\u009f\ud800-\udfff]/u.test(text)
    ? { must: 'hold no control character and no lone surrogate' }
    : undefined
}

/** A list of 1 to 1000 items: comma separated as text, a sequence in YAML. Reports every bad item. */
export const list = <T>(item: Kind<T>): Kind<readonly T[]> => ({
  form: `list of ${item.form}s`,
  schema: {
    type: ['string', 'array'],
    minLength: 1,
    items: item.schema,
    minItems: 1,
    maxItems: LIST_LIMIT,
  },
  read(input) {
    if (input.kind === 'map') return refuse(input, `be a list of ${item.form}s`)
    const fault = input.kind === 'text' && input.text !== '' ? untidy(input.text) : undefined
    if (fault !== undefined) return refuse(input, fault.must)
    const items = input.kind === 'list' ? input.items : commaSeparated(input.text, input.source)
    if (items.length === 0 || items.length > LIST_LIMIT)
      return refuse(input, `have 1 to ${LIST_LIMIT} items (leave the setting out for none)`)
    return combine(items.map(item.read))
  },
})

/** The items of `a, b`: white space around a comma does not count. */
const commaSeparated = (text: string, source: string): Input[] =>
  text === '' ? [] : text.split(',').map((item) => textInput(item.trim(), source))

/** All values, or the faults of all. */
export function combine<T>(outcomes: readonly Outcome<T>[]): Outcome<readonly T[]> {
  const values: T[] = []
  const faults: Fault[] = []
  for (const outcome of outcomes) {
    if ('faults' in outcome) faults.push(...outcome.faults)
    else values.push(outcome.value)
  }
  return faults.length > 0 ? { faults } : { value: values }
}

/** One of a few words. */
export const choice = <const T extends string>(words: readonly T[]): Kind<T> =>
  scalar(words.map((word) => `\`${word}\``).join(', '), { enum: words }, (text) => {
    const word = words.find((candidate) => candidate === text)
    return word === undefined ? { must: `be one of: ${words.join(' ')}` } : { value: word }
  })

export const boolean: Kind<boolean> = scalar('`true` or `false`', { type: 'boolean' }, (text) =>
  text === 'true' || text === 'false' ? { value: text === 'true' } : { must: 'be true or false' },
)

/** A whole number in decimal digits, both ends included. */
export const integer = (least: number, most: number): Kind<number> =>
  scalar('number', { type: 'integer', minimum: least, maximum: most }, (text) => {
    const value = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : Number.NaN
    return value >= least && value <= most
      ? { value }
      : { must: `be a whole number from ${least} to ${most}` }
  })

/** `word` reads as undefined, everything else as `kind` does. */
export const orWord = <T>(word: string, kind: Kind<T>): Kind<T | undefined> => ({
  form: `${kind.form} or \`${word}\``,
  schema: { anyOf: [{ const: word }, kind.schema] },
  read(input) {
    if (input.kind === 'text' && input.text === word) return { value: undefined }
    const outcome = kind.read(input)
    if ('value' in outcome) return outcome
    return {
      faults: outcome.faults.map((fault) => ({ ...fault, must: `${fault.must}, or ${word}` })),
    }
  },
})

/** The name of a file, read later by the part that needs it. */
export const filePath: Kind<string> = scalar('file', { type: 'string', minLength: 1 }, (text) => ({
  value: text,
}))
