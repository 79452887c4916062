import type { Test } from 'tap'
import { textInput } from '../../src/config/input.ts'
import type { Kind } from '../../src/config/kinds.ts'
import { type ReadResult, readConfig, type Sources } from '../../src/config/read.ts'
import { ConfigError, type Problem } from '../../src/errors.ts'

/** The least that starts: every test of a setting changes this. */
export const GOOD = {
  CLAIMGATE_UPSTREAM: 'http://127.0.0.1:3000',
  CLAIMGATE_ROUTE: 'https://app.example.com',
} as const

/** A file system of texts; everything else is absent. */
export const files =
  (texts: Readonly<Record<string, string>>): Sources['readFile'] =>
  (path) => {
    const text = texts[path]
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  }

/** Reads `env` alone, on top of {@link GOOD} (undefined takes a variable away). */
export const readEnvironment = (env: Sources['env'] = {}): ReadResult =>
  readConfig({ flags: [], env: { ...GOOD, ...env }, readFile: files({}) })

/** Reads the text as `config.yaml` alone. */
export const readFileText = (text: string): ReadResult =>
  readConfig({
    flags: ['--config', 'config.yaml'],
    env: {},
    readFile: files({ 'config.yaml': text }),
  })

/** The problems `read` ends with; none when it does not end with a ConfigError. */
export function problemsOf(read: () => unknown): readonly Problem[] {
  try {
    read()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

/** Problems as lines. */
export const linesOf = (read: () => unknown): string[] =>
  problemsOf(read).map(({ source, message }) => `${source}: ${message}`)

/** What a kind makes of a text: its value, or what it must be. */
export function readKind<T>(kind: Kind<T>, text: string): T | { readonly must: string } {
  const outcome = kind.read(textInput(text, 'test'))
  return 'value' in outcome ? outcome.value : { must: outcome.faults[0]?.must ?? '' }
}

/** Asserts for each text its value, or that it is refused with words that match. */
export function readsAs<T>(
  t: Test,
  kind: Kind<T>,
  rows: readonly (readonly [text: string, wanted: T | RegExp])[],
): void {
  for (const [text, wanted] of rows) {
    const name = `${JSON.stringify(text)} ${wanted instanceof RegExp ? 'is refused' : 'is read'}`
    const result = readKind(kind, text)
    if (wanted instanceof RegExp) t.match(result, { must: wanted }, name)
    else t.strictSame(result, wanted, name)
  }
}
