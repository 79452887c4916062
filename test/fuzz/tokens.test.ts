import t from 'tap'
import { createVerifier, type VerifierDeps, type Verify } from '../../src/assertion/verify.ts'
import { drive } from './drive.ts'
import { tokens } from './tokens.ts'

const SEED = 20_260_731

t.test('verifier and oracle agree on changed tokens', async (t) => {
  const { cases, findings, tally } = await drive(tokens(), { seed: SEED, limit: 4_000 })
  t.equal(cases, 4_000)
  t.same(findings, [])
  t.ok((tally.get('accepted') ?? 0) > 100, 'good ones are among them')
  t.ok(tally.size >= 12, `codes met: ${[...tally.keys()]}`)
})

/** A verifier with one check left out, and how that can be seen. */
const PLANTED: readonly [name: string, found: RegExp, plant: (verify: Create) => Create][] = [
  [
    'other audiences are accepted',
    /accepted, but .*AUDIENCE/,
    (create) => (deps) => create(withExpected(deps, { audiences: ['*.com', '*.test', '*.org'] })),
  ],
  [
    'a longer clock skew than the one set',
    /accepted, but .*(EXPIRED|NOT_YET_VALID)/,
    (create) => (deps) =>
      create(withExpected(deps, { clockSkew: deps.expected.clockSkew + 1_000 })),
  ],
  [
    'an algorithm more than the list has',
    /accepted, but ERR_ASSERTION_ALGORITHM/,
    (create) => (deps) =>
      create(withExpected(deps, { algorithms: [...deps.expected.algorithms, 'EdDSA', 'ES384'] })),
  ],
  [
    'padding is cut off before the signature is checked',
    /accepted, but ERR_ASSERTION_MALFORMED/,
    (create) => (deps) => {
      const verify = create(deps)
      return (token, subject) => verify(token.replace(/=+$/, ''), subject)
    },
  ],
  [
    'the key named is not the key used',
    /accepted, but ERR_ASSERTION_(SIGNATURE|KEY_UNKNOWN)/,
    (create) => (deps) => {
      const { keySet } = deps
      return create({ ...deps, keySet: { ...keySet, find: (alg) => keySet.find(alg, undefined) } })
    },
  ],
  [
    'a shorter clock skew than the one set',
    /refused with ERR_ASSERTION_(EXPIRED|NOT_YET_VALID), but good/,
    (create) => (deps) =>
      create(withExpected(deps, { clockSkew: deps.expected.clockSkew - 1_000 })),
  ],
  [
    'a fault that is no refusal',
    /threw TypeError/,
    (create) => (deps) => {
      const verify = create(deps)
      return (token, subject) =>
        token.includes('..') ? Promise.reject(new TypeError()) : verify(token, subject)
    },
  ],
]

type Create = (deps: VerifierDeps) => Verify

const withExpected = (
  deps: VerifierDeps,
  changes: Partial<VerifierDeps['expected']>,
): VerifierDeps => ({ ...deps, expected: { ...deps.expected, ...changes } })

for (const [name, found, plant] of PLANTED)
  t.test(`finds a planted fault: ${name}`, async (t) => {
    const fuzzer = tokens(plant(createVerifier))
    const { findings } = await drive(fuzzer, { seed: SEED, limit: 4_000 })
    t.ok(
      findings.some(({ what }) => found.test(what)),
      findings[0]?.what ?? 'nothing was found',
    )
  })

t.test('a finding is made again from its seed and number', async (t) => {
  const fuzzer = tokens(PLANTED[0]?.[2](createVerifier))
  const { findings } = await drive(fuzzer, { seed: SEED, limit: 4_000 })
  const [{ index, what } = { index: 0, what: '' }] = findings
  const again = await drive(fuzzer, { seed: SEED, first: index, limit: 1 })
  const payload = (text: string | undefined) => /token: "[^.]*\.([^.]*)\./.exec(text ?? '')?.[1]
  t.equal(payload(again.findings[0]?.what), payload(what))
  t.ok(payload(what))
})
