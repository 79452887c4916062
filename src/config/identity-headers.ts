import { foldName } from '../identity/fold.ts'
import { ENCODINGS, type IdentityHeader, SEPARATORS, TRANSFORMS } from './config.ts'
import { identityHeaderFault } from './header-names.ts'
import { type Entry, type Fault, type Input, type Outcome, quote, refuse } from './input.ts'
import { choice, combine, integer, type Kind, list, scalar } from './kinds.ts'

const claim = scalar('claim name', { type: 'string', minLength: 1 }, (text) => ({ value: text }))
const glob = scalar('glob', { type: 'string', minLength: 1 }, (text) => ({ value: text }))

/** The full form of one header, below its name. */
const PARTS = {
  claim: list(claim),
  separator: choice(SEPARATORS),
  encoding: choice(ENCODINGS),
  transform: list(choice(TRANSFORMS)),
  only: list(glob),
  max_bytes: integer(1, 65_536),
} as const

type PartName = keyof typeof PARTS

/**
 * Header names with the claims they carry. Text: `X-WEBAUTH-USER=email,X-WEBAUTH-GROUPS=groups`. YAML: a map from
 * header to a claim, to a list of claims (the first non-empty one is used), or to the full form.
 */
export const identityHeaders: Kind<readonly IdentityHeader[]> = {
  form: 'map of header to claim',
  schema: {
    type: ['string', 'object'],
    minLength: 1,
    minProperties: 1,
    additionalProperties: {
      anyOf: [
        PARTS.claim.schema,
        {
          type: 'object',
          properties: Object.fromEntries(
            Object.entries(PARTS).map(([name, kind]) => [name, kind.schema]),
          ),
          required: ['claim'],
          additionalProperties: false,
        },
      ],
    },
  },
  read(input) {
    const entries = entriesOf(input)
    if (entries === undefined || entries.length === 0) return refuse(input, MUST)
    const outcome = combine(entries.map(readEntry))
    if ('faults' in outcome) return outcome
    const faults = sameNames(entries)
    return faults.length > 0 ? { faults } : outcome
  },
}

const MUST = 'map headers to claims, such as X-WEBAUTH-USER=email,X-WEBAUTH-GROUPS=groups'

/** The claim stands after the first `=`: header names cannot hold one, claim names can. */
function entriesOf(input: Input): readonly Entry[] | undefined {
  if (input.kind === 'map') return input.entries
  if (input.kind === 'list') return undefined
  const { source } = input
  const pairs = input.text.split(',').map((pair) => ({ pair, equals: pair.indexOf('=') }))
  if (pairs.some(({ equals }) => equals < 1)) return undefined
  return pairs.map(({ pair, equals }) => {
    const claim: Input = { kind: 'text', source, text: pair.slice(equals + 1).trim() }
    // A list, so that the claim is not split again.
    return {
      key: pair.slice(0, equals).trim(),
      source,
      value: { kind: 'list', source, items: [claim] },
    }
  })
}

function readEntry({ key, source, value }: Entry): Outcome<IdentityHeader> {
  const must = identityHeaderFault(key)
  if (must !== undefined) return { faults: [{ source, must, got: quote(key) }] }
  const outcome = readParts(value)
  return 'faults' in outcome
    ? { faults: inPart(outcome.faults, key) }
    : { value: { header: key, ...outcome.value } }
}

/** Says of what the faults are: `be a number … for max_bytes for X-Groups`. */
const inPart = (faults: readonly Fault[], part: string): Fault[] =>
  faults.map((fault) => ({ ...fault, must: `${fault.must} for ${part}` }))

function readParts(value: Input): Outcome<Omit<IdentityHeader, 'header'>> {
  const parts =
    value.kind === 'map' ? value.entries : [{ key: 'claim', source: value.source, value }]
  const faults: Fault[] = []
  const part = <T>(name: PartName, kind: Kind<T>): T | undefined => {
    const entry = parts.find(({ key }) => key === name)
    if (entry === undefined) return undefined
    const outcome = kind.read(entry.value)
    if ('value' in outcome) return outcome.value
    faults.push(...inPart(outcome.faults, name))
    return undefined
  }
  const result = {
    claims: part('claim', PARTS.claim) ?? [],
    separator: part('separator', PARTS.separator) ?? ',',
    encoding: part('encoding', PARTS.encoding) ?? 'utf8',
    transforms: part('transform', PARTS.transform) ?? [],
    only: part('only', PARTS.only) ?? [],
    maxBytes: part('max_bytes', PARTS.max_bytes),
  }
  for (const { key, source } of parts)
    if (!Object.hasOwn(PARTS, key))
      faults.push({ source, must: `use only ${Object.keys(PARTS).join(', ')}`, got: quote(key) })
  if (result.claims.length === 0 && faults.length === 0) return refuse(value, 'name a claim')
  return faults.length > 0 ? { faults } : { value: result }
}

/** Two spellings of one name would make two lines that an app may read as one value. */
function sameNames(entries: readonly Entry[]): Fault[] {
  const first = new Map<string, string>()
  const faults: Fault[] = []
  for (const { key, source } of entries) {
    const other = first.get(foldName(key))
    if (other === undefined) first.set(foldName(key), key)
    else faults.push({ source, must: `name each header once (${quote(other)})`, got: quote(key) })
  }
  return faults
}
