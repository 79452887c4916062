/**
 * A value as an operator gave it, before it is understood. `source` is where it stands, as problems name it:
 * `config.yaml:12:9`, `env CLAIMGATE_ROUTE`, `flag --route`, `default`.
 */
export type Input =
  | { readonly kind: 'text'; readonly source: string; readonly text: string }
  | { readonly kind: 'list'; readonly source: string; readonly items: readonly Input[] }
  | { readonly kind: 'map'; readonly source: string; readonly entries: readonly Entry[] }

/** One `key: value` of a map; `source` is the place of the key. */
export interface Entry {
  readonly key: string
  readonly source: string
  readonly value: Input
}

/** What is wrong with a value. `must` goes on from the setting's name: `be a duration …`. `got` is safe to print. */
export interface Fault {
  readonly source: string
  readonly must: string
  readonly got: string
}

export type Outcome<T> = { readonly value: T } | { readonly faults: readonly Fault[] }

export const textInput = (text: string, source: string): Input => ({ kind: 'text', source, text })

/** A refusal with one fault that shows the whole input as found. */
export const refuse = (input: Input, must: string): { readonly faults: readonly Fault[] } => ({
  faults: [{ source: input.source, must, got: found(input) }],
})

/** The input as a problem names it, short and without secrets: `"abc"`, `a list of 3 items`. */
export function found(input: Input): string {
  if (input.kind === 'list') return `a list of ${count(input.items.length, 'item')}`
  if (input.kind === 'map') return `a map of ${count(input.entries.length, 'entry', 'entries')}`
  return input.text === '' ? 'an empty value' : quote(input.text)
}

/** The input on one line as `claimgate check` shows it, without secrets. */
export function show(input: Input): string {
  if (input.kind === 'text') return printable(conceal(input.text))
  if (input.kind === 'list') return input.items.map(showNested).join(', ')
  return input.entries.map(({ key, value }) => `${printable(key)}=${showNested(value)}`).join(', ')
}

const showNested = (input: Input): string => {
  if (input.kind === 'list') return `[${show(input)}]`
  return input.kind === 'map' ? `{${show(input)}}` : show(input)
}

const QUOTE_LIMIT = 100

/** Text from outside in double quotes: escaped, cut to 100 characters, without secrets. */
export function quote(text: string): string {
  const safe = conceal(text)
  return escaped(safe.length > QUOTE_LIMIT ? `${safe.slice(0, QUOTE_LIMIT)}…` : safe)
}

/** JSON, which leaves some characters that move the cursor or turn the direction of text. */
const escaped = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  )

/** `2 items`, `1 item`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`

/**
 * No setting is a secret, but secrets end up in settings: a password or query in a URL, the text of a private key
 * where its file is wanted, an assertion.
 */
function conceal(text: string): string {
  if (/PRIVATE KEY|\beyJ[\w-]{8,}/.test(text)) return '(hidden)'
  return text
    .replaceAll(/\/\/[^/@\s]*@/g, '//***@')
    .replaceAll(/(:\/\/[^?\s]{0,2048}\?)[^,\s]+/g, '$1***')
}

const printable = (text: string): string =>
  /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text) ? text : escaped(text)
