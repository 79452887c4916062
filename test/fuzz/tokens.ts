import { createVerifier, type Verify } from '../../src/assertion/verify.ts'
import { RejectedError } from '../../src/errors.ts'
import { describe } from './drive.ts'
import { count, type Fuzzer, type Tally } from './fuzzer.ts'
import { type Case, createCases, createKeys, jwksOf, type Keys } from './tokens/court.ts'
import { createMutant, createWorkshop } from './tokens/mutants.ts'
import { judge, type Verdict } from './tokens/oracle.ts'

/**
 * Changed tokens before the verifier and before the oracle: both accept with the same claims, or both refuse, with
 * the code of the one rule that is broken. Nothing but RejectedError is thrown.
 *
 * Keys are new in each run, so a case has other signatures each time; a finding names its token and the key set.
 */
export function tokens(create: typeof createVerifier = createVerifier): Fuzzer {
  return {
    name: 'tokens',
    unit: 'tokens',
    lanes: 32,
    round: 20_000,
    async open() {
      const keys = createKeys()
      const workshop = createWorkshop(keys)
      let disagreement: string | undefined
      const cases = await createCases(keys, (what) => {
        disagreement ??= what
      })
      const rows = cases.map((each) => [each.weight, { each, verify: create(each.deps) }] as const)
      const tally: Tally = new Map()
      return {
        tally,
        async run(random) {
          const { each, verify } = random.weighted(rows)
          const { kind, token } = createMutant(random, workshop)
          const fault = await compare(token, each, { verify, tally })
          return fault && `${fault}\n${report(kind, token, each, keys)}`
        },
        async settle() {
          const what = disagreement
          disagreement = undefined
          return what === undefined ? [] : [{ index: -1, what }]
        },
        close: async () => undefined,
      }
    },
  }
}

interface Means {
  readonly verify: Verify
  readonly tally: Tally
}

async function compare(
  token: string,
  { rules, subject }: Case,
  { verify, tally }: Means,
): Promise<string | undefined> {
  const wanted = judge(token, rules)
  try {
    const { claims } = await verify(token, subject)
    count(tally, 'accepted')
    if ('codes' in wanted) return `accepted, but ${wanted.codes}`
    return JSON.stringify(claims) === JSON.stringify(wanted.claims) ? undefined : 'other claims'
  } catch (error) {
    if (!(error instanceof RejectedError)) return `threw ${describe(error)}`
    count(tally, error.code)
    return misnamed(error.code, wanted)
  }
}

function misnamed(code: string, wanted: Verdict): string | undefined {
  if ('claims' in wanted) return `refused with ${code}, but good`
  return wanted.codes.includes(code) ? undefined : `${code}, but ${wanted.codes}`
}

function report(kind: string, token: string, { rules }: Case, keys: Keys): string {
  return `  change: ${kind}\n  token: ${JSON.stringify(token)}\n  rules: ${JSON.stringify({ ...rules, keys: undefined })}\n  keys: ${jwksOf(keys)}`
}
