import t from 'tap'
import { createVerifier, type VerifierDeps } from '../../src/assertion/verify.ts'
import { createKey, memoryKeySet, verificationKey } from '../helpers/keys.ts'
import { claimsOf, HOST, mint, NOW, NOW_MS } from '../helpers/mint.ts'

const key = createKey()
const stranger = createKey('ES256', key.kid)
const verifying = await verificationKey(key)

const EXPECTED: VerifierDeps['expected'] = {
  issuers: [HOST],
  audiences: [HOST],
  algorithms: ['ES256'],
  clockSkew: 60_000,
  maxAssertionAge: undefined,
}

const verifierWith = (deps: Partial<VerifierDeps> = {}) =>
  createVerifier({
    keySet: memoryKeySet([verifying]),
    expected: EXPECTED,
    now: () => NOW_MS,
    ...deps,
  })

t.test('Verify gives the claims without prototype, the algorithm and the key ID', async (t) => {
  const { claims, alg, kid, anonymous } = await verifierWith()(mint({ key }), 'required')
  t.same({ ...claims }, claimsOf())
  t.equal(Object.getPrototypeOf(claims), null)
  t.equal(alg, 'ES256')
  t.equal(kid, key.kid)
  t.equal(anonymous, false)
})

t.test('Verify takes an empty sub only where it may be empty, and says so', async (t) => {
  const nobody = mint({ key, claims: { sub: '', user: '', email: '', groups: [] } })
  const verify = verifierWith()
  await t.rejects(verify(nobody, 'required'), { code: 'ERR_ASSERTION_ANONYMOUS', status: 401 })
  t.equal((await verify(nobody, 'may-be-empty')).anonymous, true)
  t.equal((await verify(mint({ key }), 'may-be-empty')).anonymous, false)
  const nameless = mint({ key, claims: { sub: undefined } })
  await t.rejects(verify(nameless, 'may-be-empty'), { code: 'ERR_ASSERTION_ANONYMOUS' })
})

t.test('Verify asks the clock for every assertion', async (t) => {
  let now = NOW_MS
  const verify = verifierWith({ now: () => now })
  const token = mint({ key })
  await verify(token, 'required')
  now += 359_999
  await verify(token, 'required')
  now += 1
  await t.rejects(verify(token, 'required'), { code: 'ERR_ASSERTION_EXPIRED' })
})

t.test('Verify refuses with the code of the first step that fails', async (t) => {
  const bad = { key: stranger, claims: { iss: 'x', exp: 0, sub: '' } }
  const noKeys = { keySet: memoryKeySet(undefined) }
  const outcomes = [
    [`${mint({ ...bad, header: { alg: 'none', crit: [] } })}=`, noKeys, 'ERR_ASSERTION_MALFORMED'],
    [
      mint({ ...bad, header: { alg: 'none', crit: [], kid: 1 } }),
      noKeys,
      'ERR_ASSERTION_ALGORITHM',
    ],
    [mint({ ...bad, header: { crit: [], kid: 1 } }), noKeys, 'ERR_ASSERTION_CRITICAL'],
    [mint({ ...bad, header: { kid: 1 } }), noKeys, 'ERR_ASSERTION_KEY_UNKNOWN'],
    [mint(bad), noKeys, 'ERR_KEY_SET_UNAVAILABLE'],
    [mint({ ...bad, header: { kid: 'k9' } }), {}, 'ERR_ASSERTION_KEY_UNKNOWN'],
    [mint(bad), {}, 'ERR_ASSERTION_SIGNATURE'],
    [mint({ key: stranger, claims: 'no JSON' }), {}, 'ERR_ASSERTION_SIGNATURE'],
    [mint({ key, claims: 'no JSON' }), {}, 'ERR_ASSERTION_MALFORMED'],
    [mint({ ...bad, key }), {}, 'ERR_ASSERTION_ISSUER'],
  ] as const
  for (const [token, deps, code] of outcomes) {
    await t.rejects(verifierWith(deps)(token, 'required'), { code }, code)
  }
})

t.test('Verify reads dates and sub from own members alone', async (t) => {
  const { exp, ...others } = claimsOf()
  const inherited = JSON.stringify(others).replace('{', `{"__proto__":{"exp":${exp}},`)
  await t.rejects(verifierWith()(mint({ key, claims: inherited }), 'required'), {
    code: 'ERR_ASSERTION_CLAIM',
  })
})

t.test('Verify refuses claims that are not one JSON object', async (t) => {
  for (const claims of ['', '[]', '"x"', '1', 'null', '\uFEFF{}', `{"a":${'['.repeat(9999)}`]) {
    await t.rejects(verifierWith()(mint({ key, claims }), 'required'), {
      code: 'ERR_ASSERTION_MALFORMED',
    })
  }
  await t.rejects(verifierWith()(mint({ key, claims: Buffer.of(0x7b, 0xff, 0x7d) }), 'required'), {
    code: 'ERR_ASSERTION_MALFORMED',
  })
})

t.test('Verify does not look at typ', async (t) => {
  for (const typ of ['JWT', 'jwt', 'at+jwt', 1, undefined]) {
    t.equal((await verifierWith()(mint({ key, header: { typ } }), 'required')).alg, 'ES256')
  }
})

t.test('Verify names no claim value in a refusal', async (t) => {
  const secret = 'mallory@evil.example'
  for (const name of ['iss', 'aud', 'exp', 'nbf', 'iat', 'sub']) {
    const token = mint({ key, claims: { [name]: name === 'sub' ? [secret] : secret } })
    const error = await verifierWith()(token, 'required').catch((error: unknown) => error)
    t.match(error, { name: 'RejectedError' })
    t.notMatch(`${(error as Error).stack}${JSON.stringify(error)}`, secret)
  }
})

t.test('Verify leaves nothing behind for the next assertion', async (t) => {
  const keySet = memoryKeySet([verifying])
  const verify = verifierWith({ keySet })
  const token = mint({ key })
  await verify(token, 'required')
  keySet.replace([await verificationKey(stranger)])
  await t.rejects(verify(token, 'required'), { code: 'ERR_ASSERTION_SIGNATURE' })
})

t.test('Verify decides many assertions at once, each by itself', async (t) => {
  const verify = verifierWith()
  const tokens = Array.from({ length: 40 }, (_, i) =>
    mint({ key: i % 2 === 0 ? key : stranger, claims: { sub: `user-${i}` } }),
  )
  const outcomes = await Promise.allSettled(tokens.map((token) => verify(token, 'required')))
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') t.equal(outcome.value.claims['sub'], `user-${i}`)
    t.equal(outcome.status, i % 2 === 0 ? 'fulfilled' : 'rejected')
  }
})

t.test('Verify takes an assertion as long as a thousand groups make it', async (t) => {
  const groups = Array.from({ length: 1000 }, (_, i) => `${'0'.repeat(30)}-${i}-name-of-a-group`)
  const { claims } = await verifierWith()(mint({ key, claims: { groups } }), 'required')
  t.equal((claims['groups'] as string[]).length, 1000)
  t.equal(claims['iat'], NOW)
})
