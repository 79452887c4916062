import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import type { Problem } from '../errors.ts'
import type { Found } from './flags.ts'
import { type Entry, type Input, quote } from './input.ts'
import { problem, unknownName } from './problem.ts'
import type { SettingName } from './setting.ts'
import { isSettingName, SETTING_NAMES } from './settings.ts'

export interface FileFound extends Found {
  /** Whether the file could not be understood at all. */
  readonly isBroken: boolean
}

interface Place {
  readonly at: (offset: number | undefined) => string
  readonly problems: Problem[]
}

/** Deeper than any setting goes. */
const DEPTH_LIMIT = 6

/**
 * Reads the settings of a YAML file (or JSON, which is YAML). Scalars stay the text they are written with: the parser
 * of each setting decides what they mean, so that `0x10` or `1e3` does not become a number on the way. Aliases and
 * tags have no use here and are refused.
 */
export function readYaml(text: string, path: string): FileFound {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
  })
  const at = (offset = 0) => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos }) =>
    problem(at(pos[0]), 'the file', 'be one valid YAML document', `${code}: ${firstLine(message)}`),
  )
  // Where the syntax is broken, what was understood of the rest is guesswork.
  const isBroken = problems.length > 0
  if (isBroken || document.contents === null) return { inputs: new Map(), problems, isBroken }
  return readTop(document.contents, { at, problems })
}

const firstLine = (message: string) => quote(message.split('\n')[0] ?? '')

function readTop(contents: Node, place: Place): FileFound {
  const inputs = new Map<SettingName, Input>()
  const { at, problems } = place
  // A lone `---` is a document with an empty text.
  if (isScalar(contents) && contents.value === '') return { inputs, problems, isBroken: false }
  if (!isMap(contents)) {
    const got = isSeq(contents) ? 'a list' : 'something else'
    problems.push(problem(at(contents.range?.[0]), 'the file', 'be a map of settings', got))
    return { inputs, problems, isBroken: true }
  }
  for (const { key, source, value } of entries(contents, place, 0)) {
    if (key === 'config')
      problems.push(
        problem(source, key, 'be given as --config or CLAIMGATE_CONFIG', 'it in the file'),
      )
    else if (isSettingName(key)) inputs.set(key, value)
    else problems.push(unknownName(source, key, SETTING_NAMES))
  }
  return { inputs, problems, isBroken: false }
}

const entries = (map: YAMLMap, place: Place, depth: number): Entry[] =>
  map.items.flatMap((item) => readPair(item as Pair<Node, Node | null>, place, depth))

function readPair({ key, value }: Pair<Node, Node | null>, place: Place, depth: number): Entry[] {
  const source = place.at(key.range?.[0])
  if (!isScalar(key)) {
    place.problems.push(problem(source, 'each key', 'be a name', 'something else'))
    return []
  }
  const input = toInput(value, source, { place, depth: depth + 1 })
  return input === undefined ? [] : [{ key: String(key.value), source, value: input }]
}

/** `fallback`: the place of the key, for a value that is not there. */
function toInput(
  node: Node | null,
  fallback: string,
  { place, depth }: { readonly place: Place; readonly depth: number },
): Input | undefined {
  const source = node?.range ? place.at(node.range[0]) : fallback
  if (node === null) return { kind: 'text', source, text: '' }
  if (isScalar(node)) return { kind: 'text', source, text: String(node.value ?? '') }
  const unfit = isAlias(node) ? 'an alias' : 'more'
  if (isAlias(node) || depth > DEPTH_LIMIT) {
    const must = `be written out, at most ${DEPTH_LIMIT} levels deep and without aliases`
    place.problems.push(problem(source, 'each value', must, unfit))
    return undefined
  }
  if (isMap(node)) return { kind: 'map', source, entries: entries(node, place, depth) }
  const items = isSeq(node) ? (node.items as (Node | null)[]) : []
  return {
    kind: 'list',
    source,
    items: items.flatMap((item) => toInput(item, source, { place, depth: depth + 1 }) ?? []),
  }
}
