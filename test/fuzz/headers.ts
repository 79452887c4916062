import { parseCompact } from '../../src/assertion/compact.ts'
import { takeAssertion } from '../../src/assertion/take.ts'
import { RejectedError } from '../../src/errors.ts'
import { createIdentityHeaders, type IdentityLines } from '../../src/identity/headers.ts'
import { createReserved } from '../../src/identity/strip.ts'
import { upstreamHeaders } from '../../src/proxy/headers.ts'
import { anyHeader } from '../helpers/any-header.ts'
import { count, type Fuzzer, pureStage, type Tally } from './fuzzer.ts'
import {
  assertionOf,
  isReserved,
  type Line,
  type Rules,
  readValue,
  survivors,
  valuesOf,
  variableOf,
} from './headers/model.ts'
import { createClaims, createRules, createSet } from './headers/sets.ts'
import { createRandom } from './random.ts'

/** What is put to the test; a test of the fuzzer puts something wrong in its place. */
export interface Parts {
  readonly createReserved: typeof createReserved
  readonly createIdentityHeaders: typeof createIdentityHeaders
  readonly upstreamHeaders: typeof upstreamHeaders
  readonly takeAssertion: typeof takeAssertion
}

const PROGRAM: Parts = { createReserved, createIdentityHeaders, upstreamHeaders, takeAssertion }
const RULES = 60

/**
 * Sets of request fields through the strip and the identity headers. The upstream gets the client's fields less the
 * reserved ones, in their order, then ours, each once; no other field is a reserved one in any spelling; a reader of
 * the encoding gets the claim back; and there is one assertion or none.
 */
export function headers(parts: Partial<Parts> = {}): Fuzzer {
  const under = { ...PROGRAM, ...parts }
  return {
    name: 'headers',
    unit: 'header sets',
    lanes: 1,
    round: 2_000,
    async open() {
      // The same in every run, so that a case is told by its seed and number.
      const scenes = Array.from({ length: RULES }, (_, i) => {
        const rules = createRules(createRandom(0, 'rules', i))
        return createScene(rules, under)
      })
      return pureStage((random, tally) => {
        const scene = random.pick(scenes)
        const sent = createSet(random, scene.rules)
        const claims = createClaims(random, scene.rules)
        const what =
          compareAssertion(sent, scene.rules, under) ?? compareLines({ sent, claims }, scene, tally)
        return what && `${what}\n  ${JSON.stringify({ sent, claims, rules: scene.rules })}`
      })
    },
  }
}

interface Scene {
  readonly rules: Rules
  readonly identity: (claims: Record<string, unknown>) => IdentityLines
  readonly forward: (
    sent: readonly Line[],
    added: readonly string[],
  ) => { lines: Line[]; stripped: number }
}

function createScene(rules: Rules, parts: Parts): Scene {
  const headerRules = {
    assertionHeader: rules.assertionHeader.toLowerCase(),
    isReserved: parts.createReserved(rules),
    host: rules.host,
  }
  return {
    rules,
    identity: parts.createIdentityHeaders(rules.identityHeaders),
    forward(sent, added) {
      const { lines, stripped } = parts.upstreamHeaders(sent.flat(), headerRules, added)
      return { lines: pairs(lines), stripped }
    },
  }
}

const pairs = (lines: readonly string[]): Line[] =>
  Array.from({ length: lines.length / 2 }, (_, i) => [lines[2 * i] ?? '', lines[2 * i + 1] ?? ''])

interface Case {
  readonly sent: readonly Line[]
  readonly claims: Record<string, unknown>
}

function compareLines({ sent, claims }: Case, scene: Scene, tally: Tally): string | undefined {
  const { rules, identity } = scene
  const ours = refusable(() => identity(claims).lines)
  count(tally, typeof ours === 'string' ? ours : 'forwarded')
  // The strip does its work whatever is added.
  const added = typeof ours === 'string' ? [] : ours
  return compareIdentity(ours, claims, rules) ?? compareForwarded(sent, added, scene)
}

function compareIdentity(
  ours: readonly string[] | string,
  claims: Case['claims'],
  { identityHeaders }: Rules,
): string | undefined {
  const wanted = identityHeaders.map((each) => valuesOf(claims[each.claims[0] ?? ''], each))
  const isRefused = wanted.includes('refused')
  if (typeof ours === 'string') return isRefused ? undefined : `${ours}, but the claims can be said`
  if (isRefused) return `cannot be said, but sent: ${JSON.stringify(ours)}`
  const read = pairs(ours).map(([name, value]) => {
    const header = identityHeaders.find((each) => each.header === name)
    return [name, header && readValue(value, header)]
  })
  const told = identityHeaders.flatMap(({ header }, i) =>
    [...(wanted[i] ?? [])].map((value) => [header, value]),
  )
  return isEqual(read, told) ? undefined : `read back as ${JSON.stringify(read)}`
}

function compareForwarded(
  sent: readonly Line[],
  ours: readonly string[],
  { rules, forward }: Scene,
): string | undefined {
  const model = survivors(sent, rules)
  const { lines, stripped } = forward(sent, ours)
  const what =
    collision(lines.slice(0, -pairs(ours).length || undefined), rules) ?? repeated(lines, rules)
  if (what !== undefined) return what
  if (!isEqual(lines, [...model.lines, ...pairs(ours)])) return `forwarded ${JSON.stringify(lines)}`
  return stripped === model.stripped ? undefined : `counted ${stripped} for ${model.stripped}`
}

/** Said once more without the model: no field of the client is one of ours to anybody. */
function collision(lines: readonly Line[], rules: Rules): string | undefined {
  const found = lines.find(([name]) => isReserved(name, rules))
  return found && `reserved field forwarded: ${found[0]}`
}

function repeated(lines: readonly Line[], { identityHeaders }: Rules): string | undefined {
  for (const { header, separator } of identityHeaders) {
    const times = lines.filter(([name]) => variableOf(name) === variableOf(header)).length
    if (times > 1 && separator !== 'repeat') return `${times} lines for ${header}`
  }
  return undefined
}

function compareAssertion(sent: readonly Line[], rules: Rules, parts: Parts): string | undefined {
  const wanted = assertionOf(sent, rules.assertionHeader)
  const taken = refusable(() => {
    const assertion = parts.takeAssertion(sent.flat(), rules.assertionHeader)
    // Whatever its header part holds.
    parseCompact(assertion, anyHeader)
    return [assertion]
  })
  const found = typeof taken === 'string' ? taken : taken[0]
  return found === wanted ? undefined : `assertion: ${found}, but ${wanted}`
}

/** The result, or the code of the refusal; nothing else may be thrown. */
function refusable<T>(run: () => readonly T[]): readonly T[] | string {
  try {
    return run()
  } catch (error) {
    if (error instanceof RejectedError) return error.code
    throw error
  }
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
