import { quote } from './input.ts'

/** Reads a whole file as UTF-8; throws when it cannot. */
export type ReadFile = (path: string) => string

const TEXT_LIMIT = 1_048_576

/** The text of a file of at most 1 MiB, or what was found instead, safe to print. Never throws. */
export function readText(path: string, readFile: ReadFile): string | { readonly got: string } {
  if (path === '') return { got: 'an empty name' }
  try {
    const text = readFile(path)
    return text.length > TEXT_LIMIT ? { got: `${quote(path)} (over 1 MiB)` } : text
  } catch (error) {
    return { got: `${quote(path)} (${reason(error)})` }
  }
}

const REASONS: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a directory'],
  ['EACCES', 'permission denied'],
])

/** The message of a file error is not used: it repeats the path unescaped. */
function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return REASONS.get(code) ?? (typeof code === 'string' ? code : 'it cannot be read')
}
