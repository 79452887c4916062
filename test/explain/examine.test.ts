import t from 'tap'
import { takeAssertion } from '../../src/assertion/take.ts'
import { createVerifier } from '../../src/assertion/verify.ts'
import { PRESETS } from '../../src/config/presets.ts'
import { RejectedError } from '../../src/errors.ts'
import { examine, type TrustConfig } from '../../src/explain/examine.ts'
import { extractHeaders } from '../../src/explain/extract.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import { type Case, runCorpus } from '../helpers/corpus.ts'
import { createKey, memoryKeySet, verificationKey } from '../helpers/keys.ts'
import { HOST, type Members, mint, NOW, NOW_MS } from '../helpers/mint.ts'
import { cook, type Workshop } from '../helpers/recipes.ts'

const HEADER = 'X-Pomerium-Jwt-Assertion'
const keys = {
  good: createKey('ES256', 'k1'),
  other: createKey('ES256', 'k1'),
  attacker: createKey('ES256', 'attacker'),
  p384: createKey('ES384', 'k1'),
  ed25519: createKey('EdDSA', 'k1'),
  secp256k1: createKey('ES256K', 'k1'),
}
const held = await Promise.all([keys.good, keys.p384, keys.ed25519].map(verificationKey))

const CONFIG: TrustConfig = {
  assertionHeader: HEADER,
  issuers: [HOST],
  audiences: [HOST],
  algorithms: ['ES256'],
  clockSkew: 60_000,
  maxAssertionAge: undefined,
  allowAnonymous: false,
  identityHeaders: PRESETS.pomerium.headers,
}

const look = (rawHeaders: readonly string[], config: Partial<TrustConfig> = {}) =>
  examine(rawHeaders, {
    config: { ...CONFIG, ...config },
    keySet: memoryKeySet(held),
    now: NOW_MS,
  })
const lookAt = (claims: Members, config: Partial<TrustConfig> = {}) =>
  look([HEADER, mint({ key: keys.good, claims })], config)
const failed = ({ outcomes }: Awaited<ReturnType<typeof look>>) =>
  outcomes.filter(({ result }) => result === 'failed').map(({ step }) => step)

t.test('a good assertion passes every step, in the order of the server', async (t) => {
  const { verdict, outcomes, identity, isSigned } = await lookAt({})
  t.equal(verdict, undefined)
  t.ok(isSigned)
  t.strictSame(
    outcomes.map(({ step, result }) => `${step} ${result}`),
    [
      ...['header', 'form', 'algorithm', 'extensions', 'key', 'signature', 'claims', 'issuer'],
      ...['audience', 'expiry', 'not before', 'issued at', 'subject', 'identity'],
    ].map((step) => `${step} passed`),
  )
  t.equal(identity?.lines.length, 10)
})

t.test('goes on behind the first refusal, which alone is the verdict', async (t) => {
  const examination = await lookAt({ aud: 'other.example.com', exp: NOW - 180, sub: '' })
  t.strictSame(failed(examination), ['audience', 'expiry', 'subject'])
  t.match(examination.verdict, { code: 'ERR_ASSERTION_AUDIENCE', status: 401 })
  t.equal(examination.identity, undefined)
})

t.test('shows what an unsigned text says, and no identity headers for it', async (t) => {
  const token = mint({ key: keys.other, claims: { aud: 'other.example.com' } })
  const examination = await look([HEADER, token])
  t.strictSame(failed(examination), ['signature', 'audience'])
  t.notOk(examination.isSigned)
  t.equal(examination.claims?.['email'], 'ann@example.com')
  t.equal(examination.outcomes.at(-1)?.result, 'not reached')
  t.equal(examination.identity, undefined)
})

t.test('asks no key for an algorithm that is not allowed', async (t) => {
  const keySet = memoryKeySet(held)
  const token = mint({ key: keys.p384 })
  const { verdict, outcomes } = await examine([HEADER, token], { config: CONFIG, keySet, now: 0 })
  t.equal(verdict?.code, 'ERR_ASSERTION_ALGORITHM')
  t.equal(keySet.lookups(), 0)
  t.equal(outcomes.find(({ step }) => step === 'key')?.result, 'not reached')
})

t.test('a request without assertion reaches nothing', async (t) => {
  const { verdict, outcomes } = await look([])
  t.equal(verdict?.code, 'ERR_ASSERTION_MISSING')
  t.ok(outcomes.slice(1).every(({ result }) => result === 'not reached'))
})

t.test('max_assertion_age and allow_anonymous count as in the server', async (t) => {
  const old = { iat: NOW - 600 }
  t.strictSame(failed(await lookAt(old)), [])
  t.strictSame(failed(await lookAt(old, { maxAssertionAge: 60_000 })), ['age'])
  const nobody = await lookAt({ sub: '' }, { allowAnonymous: true })
  t.equal(nobody.verdict, undefined)
  t.equal(nobody.identity, undefined)
})

t.test('a claim that cannot be sent refuses at the last step', async (t) => {
  const examination = await lookAt({ name: 'Ann\n' })
  t.equal(examination.verdict?.code, 'ERR_ASSERTION_CLAIM')
  t.strictSame(failed(examination), ['identity'])
})

t.test('a fault of ours is no verdict', async (t) => {
  const keySet = {
    find: () => {
      throw new TypeError('broken')
    },
    refreshForUnknownKey: async () => undefined,
  }
  await t.rejects(
    examine([HEADER, mint({ key: keys.good })], { config: CONFIG, keySet, now: NOW_MS }),
    TypeError,
  )
})

/** What the server makes of the token, by its own parts. */
async function serverCode(token: string): Promise<string | undefined> {
  const verify = createVerifier({
    keySet: memoryKeySet(held),
    expected: CORPUS_CONFIG,
    now: () => NOW_MS,
  })
  try {
    const { claims } = await verify(takeAssertion([HEADER, token], HEADER), 'required')
    createIdentityHeaders(CORPUS_CONFIG.identityHeaders)(claims)
    return undefined
  } catch (error) {
    if (error instanceof RejectedError) return error.code
    throw error
  }
}

const names = { iss: 'route1.example.com', aud: 'route1.example.com', kid: 'k1' }
const CORPUS_CONFIG = { ...CONFIG, issuers: [names.iss], audiences: [names.aud] }
const workshop: Workshop = { keys, names, now: NOW }

t.test(
  'bad-tokens.json: the verdict is the code of the server, and the first ✗ has it',
  async (t) => {
    await runCorpus<{ cases: readonly Case[] }>(t, 'bad-tokens.json', async ({ cases }, tally) => {
      for (const recipe of cases.filter((each) => each['scenario'] !== true)) {
        tally.ran += 1
        const token = cook(recipe, workshop)
        const wanted = await serverCode(token)
        for (const headers of [[HEADER, token], extractHeaders(token, HEADER)]) {
          const { verdict, outcomes } = await look(headers, CORPUS_CONFIG)
          const first = outcomes.find(({ result }) => result === 'failed')?.refused
          if (verdict?.code !== wanted || first?.code !== wanted)
            tally.deviations.push(
              `${recipe.id}: ${verdict?.code}, ${first?.code}, wanted ${wanted}`,
            )
        }
      }
    })
  },
)
