import { isObject } from '../assertion/claims.ts'
import { foldName } from '../identity/fold.ts'

/** Deeper than the answer of any echo service. */
const MAX_DEPTH = 4

const HEADER_LINE = /^[<>* \t]*[\w-]+:(?:\s|$)/m

/**
 * Finds the assertion in what a person pasted, as the header lines (name, value, …) of a request: none when the text is
 * a request without it. Understands a header line or several (`curl -v`), a curl command, the JSON of an echo service
 * such as httpbin's `/headers`, and a bare token. Nothing is mended: what is found is judged as it stands.
 */
export function extractHeaders(text: string, assertionHeader: string): readonly string[] {
  const trimmed = text.trim()
  const fromJson = readJson(trimmed, assertionHeader)
  if (fromJson !== undefined) return fromJson
  const fromText = readText(trimmed, assertionHeader)
  if (fromText.length > 0) return fromText
  if (/^curl\s/.test(trimmed) || HEADER_LINE.test(trimmed)) return []
  const isBare = foldName(assertionHeader) === 'authorization' && !/^bearer /i.test(trimmed)
  return [assertionHeader, isBare && trimmed !== '' ? `Bearer ${trimmed}` : trimmed]
}

/** `undefined`: the text is not the JSON of an echo service. */
function readJson(text: string, assertionHeader: string): readonly string[] | undefined {
  if (!text.startsWith('{')) return undefined
  const value = parse(text)
  if (!isObject(value)) return undefined
  const found = collect(value, foldName(assertionHeader), MAX_DEPTH)
  return found.length > 0 || isObject(value['headers']) ? found : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Every member of that name, also in objects inside; a list holds the values of several lines. */
function collect(value: unknown, wanted: string, depth: number): string[] {
  if (!isObject(value) || depth === 0) return []
  return Object.entries(value).flatMap(([name, member]) => {
    if (foldName(name) !== wanted) return collect(member, wanted, depth - 1)
    const values: readonly unknown[] = Array.isArray(member) ? member : [member]
    return values.flatMap((each) => (typeof each === 'string' ? [name, each] : []))
  })
}

/** `Name: value` anywhere; in quotes up to the same quote, else up to a blank, but past a comma. */
function readText(text: string, assertionHeader: string): readonly string[] {
  const name = `(?<![\\w-])(${pattern(assertionHeader)})`
  const bare = `(?:bearer +)?[^\\s'",]*(?:,\\s*[^\\s'",]+)*`
  const found = new RegExp(
    `'${name}[:;] *([^']*)'|"${name}"?[:;] *"?([^"]*)"|${name}: *(${bare})`,
    'gi',
  )
  return [...text.matchAll(found)].flatMap((match) => {
    const [spelling = '', value = ''] = match.slice(1).filter((group) => group !== undefined)
    return [spelling, value]
  })
}

/** The name in every spelling that folds to the same. */
const pattern = (name: string): string => foldName(name).replaceAll('-', '[^a-z0-9\\s]')
