import t from 'tap'
import { takeAssertion } from '../../src/assertion/take.ts'
import { createVerifier } from '../../src/assertion/verify.ts'
import { RejectedError } from '../../src/errors.ts'
import { type Outcome, openBlackBox } from '../helpers/black-box.ts'
import { requestBytes } from '../helpers/claimgate.ts'
import { type Case, runCorpus, type Tally } from '../helpers/corpus.ts'
import { createKey, memoryKeySet, verificationKey } from '../helpers/keys.ts'
import { HOST, NOW, NOW_MS } from '../helpers/mint.ts'
import { codeOf } from '../helpers/raw-client.ts'
import { cook, type Workshop } from '../helpers/recipes.ts'

const FILE = 'bad-tokens.json'
const HEADER = 'X-Pomerium-Jwt-Assertion'

/** The code that stands for a reason of the corpus… */
const CODES: Readonly<Record<string, string>> = {
  malformed: 'ERR_ASSERTION_MALFORMED',
  alg: 'ERR_ASSERTION_ALGORITHM',
  kid: 'ERR_ASSERTION_KEY_UNKNOWN',
  signature: 'ERR_ASSERTION_SIGNATURE',
  iss: 'ERR_ASSERTION_ISSUER',
  aud: 'ERR_ASSERTION_AUDIENCE',
  expired: 'ERR_ASSERTION_EXPIRED',
  'not-yet': 'ERR_ASSERTION_NOT_YET_VALID',
  iat: 'ERR_ASSERTION_NOT_YET_VALID',
  claims: 'ERR_ASSERTION_CLAIM',
  crit: 'ERR_ASSERTION_CRITICAL',
  oversize: 'ERR_ASSERTION_TOO_LARGE',
}

/** …and where an earlier step of the contract refuses, or a type counts before a value. */
const CODES_BY_ID: Readonly<Record<string, string>> = {
  'embedded-key/jwk-crit': 'ERR_ASSERTION_CRITICAL',
  'b64/b64-false-plain-json': 'ERR_ASSERTION_MALFORMED',
  'structure/empty': 'ERR_ASSERTION_EMPTY',
  'signature/padded': 'ERR_ASSERTION_MALFORMED',
  'signature/newline': 'ERR_ASSERTION_MALFORMED',
  'tamper/payload-std': 'ERR_ASSERTION_MALFORMED',
  'iss/arr': 'ERR_ASSERTION_CLAIM',
  'iss/num': 'ERR_ASSERTION_CLAIM',
  'iss/obj': 'ERR_ASSERTION_CLAIM',
  'aud/arr-nested': 'ERR_ASSERTION_CLAIM',
  'aud/obj': 'ERR_ASSERTION_CLAIM',
  'aud/obj-length': 'ERR_ASSERTION_CLAIM',
  'aud/true': 'ERR_ASSERTION_CLAIM',
  'time/iat-1e400': 'ERR_ASSERTION_CLAIM',
  'time/nbf-1e400': 'ERR_ASSERTION_CLAIM',
  'sub/sub-missing': 'ERR_ASSERTION_ANONYMOUS',
  'sub/sub-num': 'ERR_ASSERTION_ANONYMOUS',
  'sub/sub-obj': 'ERR_ASSERTION_ANONYMOUS',
}

/** Both answers are right; these are ours. */
const EITHER: Readonly<Record<string, string>> = {
  // Key material in the header is not looked at, so it does no harm either.
  'embedded-key-goodsig/jwk': 'accept',
  'embedded-key-goodsig/jwk-oct': 'accept',
  'embedded-key-goodsig/jku-confused': 'accept',
  'embedded-key-goodsig/x5u': 'accept',
  'embedded-key-goodsig/x5t': 'accept',
  'embedded-key-goodsig/jku-data': 'accept',
  'embedded-key-goodsig/jwk-crit': 'ERR_ASSERTION_CRITICAL',
  'crit/b64-true': 'ERR_ASSERTION_CRITICAL',
  'b64/b64-true-nocrit': 'ERR_ASSERTION_CRITICAL',
  'typ/zip': 'ERR_ASSERTION_CRITICAL',
  'typ/typ-at': 'accept',
  'typ/typ-logout': 'accept',
  'typ/typ-num': 'accept',
  'header-json/hdr-dup-alg2': 'accept',
  'header-json/hdr-nested-1000': 'ERR_ASSERTION_MALFORMED',
  'signature/unused-bits': 'ERR_ASSERTION_MALFORMED',
  // max_assertion_age is off by default.
  'time/iat-1y-ago': 'accept',
  'time/nbf-after-exp': 'accept',
  'sub/sub-space': 'accept',
  'size/60k': 'accept',
  'size/12k-groups': 'accept',
}

const keys = {
  good: createKey('ES256', 'k1'),
  other: createKey('ES256', 'k1'),
  attacker: createKey('ES256', 'attacker'),
  p384: createKey('ES384', 'k1'),
  ed25519: createKey('EdDSA', 'k1'),
  secp256k1: createKey('ES256K', 'k1'),
}
// As long as it takes for the claims not to fill a whole number of base64 groups.
const names = { iss: 'route1.example.com', aud: 'route1.example.com', kid: 'k1' }
const workshop: Workshop = { keys, names, now: NOW }

async function setUp() {
  const keySet = memoryKeySet([
    await verificationKey(keys.good),
    await verificationKey(keys.p384),
    await verificationKey(keys.ed25519),
  ])
  const verify = createVerifier({
    keySet,
    expected: {
      issuers: [names.iss],
      audiences: [names.aud],
      algorithms: ['ES256'],
      clockSkew: 60_000,
      maxAssertionAge: undefined,
    },
    now: () => NOW_MS,
  })
  const outcomeOf = async (token: string) => {
    try {
      await verify(takeAssertion(['Host', 'x', HEADER, token], HEADER), 'required')
      return 'accept'
    } catch (error) {
      return error instanceof RejectedError ? error.code : `threw ${error}`
    }
  }
  return { keySet, outcomeOf }
}

function wanted({ id, outcome, reason }: Case): string {
  if (outcome === 'accept') return 'accept'
  const known = CODES_BY_ID[id] ?? EITHER[id]
  if (outcome === 'either') return known ?? `a choice for ${id}`
  return known ?? CODES[String(reason)] ?? `a code for ${reason}`
}

function fetchesAllowed(recipe: Case): number {
  return recipe['jwks_fetch'] === 0 ? 0 : 1
}

t.test(`${FILE}: through the verifier alone`, async (t) => {
  await runCorpus<{ cases: readonly Case[] }>(t, FILE, async ({ cases }, tally) => {
    for (const recipe of cases) {
      tally.ran += 1
      await (recipe['scenario'] === true ? runScenario : runToken)(recipe, tally)
    }
  })
})

async function runToken(recipe: Case, tally: Tally) {
  const { keySet, outcomeOf } = await setUp()
  const outcome = await outcomeOf(cook(recipe, workshop))
  if (outcome !== wanted(recipe)) {
    tally.deviations.push(`${recipe.id}: ${outcome}, wanted ${wanted(recipe)}`)
  }
  if (keySet.refreshes() > fetchesAllowed(recipe)) {
    tally.deviations.push(`${recipe.id}: ${keySet.refreshes()} fetches`)
  }
  if (recipe['jwks_fetch'] === 0 && keySet.lookups() > 0) {
    tally.deviations.push(`${recipe.id}: the key set was asked`)
  }
}

async function runScenario(recipe: Case, tally: Tally) {
  const { keySet, outcomeOf } = await setUp()
  const good = cook({ id: 'good', class: 'good', outcome: 'accept' }, workshop)
  const expect = (outcome: string, code: string) => {
    if (outcome !== code) tally.deviations.push(`${recipe.id}: ${outcome}, wanted ${code}`)
  }
  switch (recipe.id) {
    case 'cache/same-token-1000x':
      for (let i = 0; i < 1000; i += 1) expect(await outcomeOf(good), 'accept')
      expect(String(keySet.refreshes()), '0')
      return
    case 'cache/cache-collision-sig':
      expect(await outcomeOf(good), 'accept')
      expect(await outcomeOf(cook(recipe, workshop)), 'ERR_ASSERTION_SIGNATURE')
      return
    case 'cache/cache-after-rotation':
      expect(await outcomeOf(good), 'accept')
      keySet.replace([await verificationKey(keys.attacker)])
      expect(await outcomeOf(good), 'ERR_ASSERTION_KEY_UNKNOWN')
      return
    default:
      tally.deviations.push(`${recipe.id}: no such scenario here`)
  }
}

t.test(`${FILE}: as the assertion of a request`, async (t) => {
  await runCorpus<{ cases: readonly Case[] }>(t, FILE, async ({ cases }, tally) => {
    const box = await openBlackBox(t)
    const { key, logLines } = box.claimgate
    const others = { ...keys, good: key, other: createKey('ES256', key.kid) }
    const names = { iss: HOST, aud: HOST, kid: key.kid }
    for (const recipe of cases) {
      // The verifier alone shows these: they are about what it keeps, and claimgate keeps nothing.
      if (recipe['scenario'] === true) {
        tally.notRun += 1
        continue
      }
      tally.ran += 1
      const token = cook(recipe, { keys: others, names, now: NOW })
      const outcome = await box.send(requestBytes(token))
      for (const fault of faultsOf(recipe, token, outcome)) {
        tally.deviations.push(`${recipe.id}: ${fault}`)
      }
      if (!(await box.isWell())) tally.deviations.push(`${recipe.id}: not well after it`)
    }
    const log = JSON.stringify(logLines())
    t.notMatch(log, /eyJ[A-Za-z0-9_-]{20}/, 'no token in the log')
  })
})

/** Where HTTP itself has no room for such a value. */
const STATUS_BY_ID: Readonly<Record<string, number>> = { 'signature/newline': 400, 'size/1m': 431 }

/** What the verifier takes and no identity header can say. */
const CODES_OF_HEADERS: Readonly<Record<string, string>> = {
  'sub/sub-space': 'ERR_ASSERTION_CLAIM',
}

function faultsOf(recipe: Case, token: string, { status, answer, upstream }: Outcome): string[] {
  const code = CODES_OF_HEADERS[recipe.id] ?? wanted(recipe)
  const faults: string[] = []
  const wantedStatus = STATUS_BY_ID[recipe.id] ?? (code === 'accept' ? 200 : 401)
  if (status !== wantedStatus) faults.push(`${status}, wanted ${wantedStatus}`)
  if (wantedStatus === 401 && codeOf(answer) !== code)
    faults.push(`${codeOf(answer)}, wanted ${code}`)
  const heads = upstream.split('\r\n\r\n').length - 1
  if (heads !== (code === 'accept' ? 1 : 0)) faults.push(`forwarded ${heads} times`)
  if (token.length > 20 && answer.includes(token.slice(-20)))
    faults.push('the answer has the token')
  return faults
}
