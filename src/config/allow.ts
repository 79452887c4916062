import type { AllowEntry, ClaimRule } from './config.ts'
import { type Entry, type Fault, type Input, type Outcome, quote, refuse } from './input.ts'
import { combine, type Kind, list, scalar } from './kinds.ts'
import { rulePath } from './names.ts'

const glob = scalar('glob', { type: 'string', minLength: 1 }, (text) => ({ value: text }))

/** RFC 9110 section 9.1: methods are case-sensitive, and all that are registered are upper case. */
const method = scalar('method', { type: 'string', pattern: '^[A-Z][A-Z-]*$' }, (text) =>
  /^[A-Z][A-Z-]{0,31}$/.test(text)
    ? { value: text }
    : { must: 'be a method in upper case, such as GET' },
)

/** A YAML list. One text is not split at commas: `Doe, Jane` would let every Jane in. */
const listed = <T>(item: Kind<T>): Kind<readonly T[]> => {
  const whole = list(item)
  const { items, minItems, maxItems } = whole.schema
  return {
    form: whole.form,
    schema: { type: 'array', items, minItems, maxItems },
    read: (input) =>
      input.kind === 'list' ? whole.read(input) : refuse(input, `be a YAML list of ${item.form}s`),
  }
}

const globs = listed(glob)

/** Claims with the globs of which one has to match. */
const claims: Kind<readonly ClaimRule[]> = {
  form: 'map of claim to globs',
  schema: { type: 'object', minProperties: 1, additionalProperties: globs.schema },
  read(input) {
    if (input.kind !== 'map' || input.entries.length === 0)
      return refuse(input, 'map claims to lists of globs, such as groups: [admins]')
    return combine(input.entries.map(readClaimRule))
  },
}

function readClaimRule({ key, source, value }: Entry): Outcome<ClaimRule> {
  if (key === '') return { faults: [{ source, must: 'name a claim', got: quote(key) }] }
  const outcome = globs.read(value)
  return 'faults' in outcome
    ? { faults: inPart(outcome.faults, key) }
    : { value: { claim: key, globs: outcome.value } }
}

const PARTS = { paths: listed(rulePath), methods: listed(method), claims } as const

type PartName = keyof typeof PARTS

const ENTRY_SCHEMA = {
  type: 'object',
  properties: Object.fromEntries(Object.entries(PARTS).map(([name, { schema }]) => [name, schema])),
  minProperties: 1,
  additionalProperties: false,
}

const MUST =
  'be a list of entries with paths, methods or claims, in the YAML file; flags and environment have no form for it'

/**
 * Who may pass. Entries of at least one part, each part of at least one item: an entry that lets everybody in has to
 * say so, as `paths: ["/*"]`.
 */
export const allow: Kind<readonly AllowEntry[]> = {
  form: 'list of entries, in the YAML file only',
  schema: { type: 'array', items: ENTRY_SCHEMA, minItems: 1, maxItems: 1000 },
  read(input) {
    if (input.kind !== 'list') return refuse(input, MUST)
    return input.items.length === 0 || input.items.length > 1000
      ? refuse(input, 'have 1 to 1000 entries (leave the setting out to let everybody pass)')
      : combine(input.items.map(readEntry))
  },
}

function readEntry(input: Input): Outcome<AllowEntry> {
  if (input.kind !== 'map' || input.entries.length === 0)
    return refuse(input, 'have entries with paths, methods or claims')
  const faults: Fault[] = []
  const part = <T>(name: PartName, kind: Kind<T>): T | undefined => {
    const entry = input.entries.find(({ key }) => key === name)
    if (entry === undefined) return undefined
    const outcome = kind.read(entry.value)
    if ('value' in outcome) return outcome.value
    faults.push(...inPart(outcome.faults, name))
    return undefined
  }
  const value = {
    paths: part('paths', PARTS.paths),
    methods: part('methods', PARTS.methods),
    claims: part('claims', PARTS.claims) ?? [],
  }
  for (const { key, source } of input.entries)
    if (!Object.hasOwn(PARTS, key))
      faults.push({ source, must: `use only ${Object.keys(PARTS).join(', ')}`, got: quote(key) })
  return faults.length > 0 ? { faults } : { value }
}

/** Says of what the faults are: `be a YAML list of globs for groups for claims`. */
const inPart = (faults: readonly Fault[], part: string): Fault[] =>
  faults.map((fault) => ({ ...fault, must: `${fault.must} for ${part}` }))
