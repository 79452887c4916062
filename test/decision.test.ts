import t from 'tap'
import type { Verified, Verify } from '../src/assertion/verify.ts'
import { createDecide, type DecideOptions } from '../src/decision.ts'
import { RejectedError } from '../src/errors.ts'
import { createIdentityHeaders } from '../src/identity/headers.ts'
import type { Visit } from '../src/policy/allow.ts'
import type { RequestHead } from '../src/proxy/gate.ts'
import { header } from './helpers/claimgate.ts'

const ASSERTION = 'aaaa.bbbb.cccc'
const HEADER = 'X-Pomerium-Jwt-Assertion'
const ANN: Verified = {
  claims: { sub: 'u1', email: 'ann' },
  alg: 'ES256',
  kid: 'k',
  anonymous: false,
}
const NOBODY: Verified = { ...ANN, claims: { sub: '', email: 'ann' }, anonymous: true }

/** Accepts the one assertion for `who`, as the real verifier does: an anonymous one only where that is allowed. */
const verifyAs =
  (who: Verified | RejectedError): Verify =>
  async (_assertion, subject) => {
    if (who instanceof RejectedError) throw who
    if (who.anonymous && subject === 'required') throw new RejectedError('ERR_ASSERTION_ANONYMOUS')
    return who
  }

const decideAs = (who: Verified | RejectedError, changes: Partial<DecideOptions['config']> = {}) =>
  createDecide({
    config: {
      assertionHeader: HEADER,
      forwardAssertion: false,
      allowAnonymous: false,
      publicPaths: ['/public'],
      corsPreflight: 'verify',
      ...changes,
    },
    verify: verifyAs(who),
    identityHeaders: createIdentityHeaders([header('X-Email', 'email')]),
    replayGuard: undefined,
    isAllowed: () => true,
    isOverloaded: () => false,
  })

const request = (
  changes: Partial<RequestHead> = {},
  lines: readonly string[] = [HEADER, ASSERTION],
) => ({
  method: 'GET',
  target: '/',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'a', ...lines],
  ...changes,
})

const PREFLIGHT = ['Origin', 'https://b', 'Access-Control-Request-Method', 'PUT']
const EXPIRED = new RejectedError('ERR_ASSERTION_EXPIRED')

t.test('a verified assertion gives its identity headers', async (t) => {
  t.same(await decideAs(ANN)(request()), { lines: ['X-Email', 'ann'], verified: ANN, dropped: 0 })
})

t.test('malformed HTTP is refused before the assertion is looked at', async (t) => {
  await t.rejects(decideAs(ANN)(request({ httpVersion: '2.0' })), {
    code: 'ERR_REQUEST_MALFORMED',
    status: 505,
  })
})

t.test('without an assertion there is no decision to forward', async (t) => {
  await t.rejects(decideAs(ANN)(request({}, [])), { code: 'ERR_ASSERTION_MISSING' })
})

t.test('what the verifier refuses is refused', async (t) => {
  await t.rejects(decideAs(EXPIRED)(request()), { code: 'ERR_ASSERTION_EXPIRED' })
})

t.test(
  'an anonymous assertion is refused, unless allow_anonymous; then it gives no identity headers',
  async (t) => {
    await t.rejects(decideAs(NOBODY)(request()), { code: 'ERR_ASSERTION_ANONYMOUS' })
    const allowed = await decideAs(NOBODY, { allowAnonymous: true })(request())
    t.same(allowed, { lines: [], verified: NOBODY, dropped: 0 })
  },
)

t.test('forward_assertion adds the verified assertion', async (t) => {
  const { lines } = await decideAs(ANN, { forwardAssertion: true })(request())
  t.same(lines, ['X-Email', 'ann', HEADER, ASSERTION])
  const config = { forwardAssertion: true, assertionHeader: 'Authorization' }
  const bearer = await decideAs(ANN, config)(request({}, ['authorization', `Bearer ${ASSERTION}`]))
  t.same(bearer.lines, ['X-Email', 'ann', 'Authorization', `Bearer ${ASSERTION}`])
})

t.test('a public path needs no assertion, and names a visitor who has a valid one', async (t) => {
  const target = '/public?a'
  t.same((await decideAs(ANN)(request({ target }, []))).lines, [])
  t.same((await decideAs(EXPIRED)(request({ target }))).lines, [])
  t.same((await decideAs(NOBODY)(request({ target }))).lines, [])
  t.same((await decideAs(ANN)(request({ target }))).lines, ['X-Email', 'ann'])
})

for (const target of [
  '/public/',
  '/publi%63',
  '//public',
  '/PUBLIC',
  '/public/../admin',
  '/public;a',
  '/./public',
  '/public%3f',
])
  t.test(`${target} is not the public path`, async (t) => {
    await t.rejects(decideAs(ANN)(request({ target }, [])), { code: 'ERR_ASSERTION_MISSING' })
  })

t.test(
  'an overloaded process refuses with 503 before it verifies anything, public paths too',
  async (t) => {
    const options = {
      config: {
        assertionHeader: HEADER,
        forwardAssertion: false,
        allowAnonymous: false,
        publicPaths: ['/'],
        corsPreflight: 'verify',
      },
      verify: () => Promise.reject(new TypeError('verified')),
      identityHeaders: () => ({ lines: [], dropped: 0 }),
      replayGuard: undefined,
      isAllowed: () => true,
      isOverloaded: () => true,
    } as const
    for (const target of ['/', '/other'])
      await t.rejects(createDecide(options)(request({ target })), {
        code: 'ERR_OVERLOADED',
        status: 503,
      })
  },
)

t.test(
  'the replay guard sees verified assertions alone, and what it refuses is refused',
  async (t) => {
    const seen: unknown[] = []
    const guarded = (who: Verified | RejectedError) =>
      createDecide({
        config: {
          assertionHeader: HEADER,
          forwardAssertion: false,
          allowAnonymous: false,
          publicPaths: [],
          corsPreflight: 'verify',
        },
        verify: verifyAs(who),
        identityHeaders: () => ({ lines: [], dropped: 0 }),
        replayGuard: {
          admit(claims) {
            seen.push(claims)
            if (seen.length > 1) throw new RejectedError('ERR_ASSERTION_REPLAYED')
          },
        },
        isAllowed: () => true,
        isOverloaded: () => false,
      })
    await t.rejects(guarded(EXPIRED)(request()), { code: 'ERR_ASSERTION_EXPIRED' })
    t.same(seen, [])
    await guarded(ANN)(request())
    t.same(seen, [ANN.claims])
    await t.rejects(guarded(ANN)(request()), { code: 'ERR_ASSERTION_REPLAYED' })
  },
)

t.test('a fault of ours on a public path is a fault, not a visitor without identity', async (t) => {
  const decide = createDecide({
    config: {
      assertionHeader: HEADER,
      forwardAssertion: false,
      allowAnonymous: false,
      publicPaths: ['/'],
      corsPreflight: 'verify',
    },
    verify: async () => {
      throw new TypeError('bug')
    },
    identityHeaders: () => ({ lines: [], dropped: 0 }),
    replayGuard: undefined,
    isAllowed: () => true,
    isOverloaded: () => false,
  })
  await t.rejects(decide(request()), new TypeError('bug'))
})

t.test('cors_preflight decides about genuine preflights alone', async (t) => {
  const preflight = (lines: readonly string[]) =>
    request({ method: 'OPTIONS' }, [...lines, ...PREFLIGHT])
  await t.rejects(decideAs(ANN)(preflight([])), { code: 'ERR_ASSERTION_MISSING' })
  await t.rejects(decideAs(NOBODY)(preflight([HEADER, ASSERTION])), {
    code: 'ERR_ASSERTION_ANONYMOUS',
  })
  const allow = { corsPreflight: 'allow' } as const
  await t.rejects(decideAs(ANN, allow)(preflight([])), { code: 'ERR_ASSERTION_MISSING' })
  t.same((await decideAs(NOBODY, allow)(preflight([HEADER, ASSERTION]))).lines, [])
  const pass = { corsPreflight: 'pass' } as const
  t.same((await decideAs(ANN, pass)(preflight([]))).lines, [])
  const noOrigin = request({ method: 'OPTIONS' }, PREFLIGHT.slice(2))
  await t.rejects(decideAs(ANN, pass)(noOrigin), { code: 'ERR_ASSERTION_MISSING' })
  const noMethod = request({ method: 'OPTIONS' }, PREFLIGHT.slice(0, 2))
  await t.rejects(decideAs(ANN, pass)(noMethod), { code: 'ERR_ASSERTION_MISSING' })
  for (const [what, lines] of Object.entries({
    'an empty Origin': ['Origin', ' ', ...PREFLIGHT.slice(2)],
    'an empty method': [...PREFLIGHT.slice(0, 3), ''],
    'a body': [...PREFLIGHT, 'Content-Length', '5'],
  }))
    await t.rejects(
      decideAs(ANN, pass)(request({ method: 'OPTIONS' }, lines)),
      { code: 'ERR_ASSERTION_MISSING' },
      what,
    )
  await t.rejects(decideAs(ANN, pass)(request({ method: 'GET' }, PREFLIGHT)), {
    code: 'ERR_ASSERTION_MISSING',
  })
})

/** The decision with rules that keep what they were asked and let pass what `verdict` says. */
const decideWithRules = (
  who: Verified | RejectedError,
  {
    verdict = false,
    missingRule,
    ...changes
  }: Partial<DecideOptions['config']> & {
    verdict?: boolean
    missingRule?: DecideOptions['missingRule']
  } = {},
) => {
  const asked: Visit[] = []
  const decide = createDecide({
    config: {
      assertionHeader: HEADER,
      forwardAssertion: false,
      allowAnonymous: false,
      publicPaths: ['/public'],
      corsPreflight: 'verify',
      ...changes,
    },
    verify: verifyAs(who),
    identityHeaders: createIdentityHeaders([header('X-Email', 'email')]),
    replayGuard: undefined,
    isAllowed: (visit) => {
      asked.push(visit)
      return verdict
    },
    ...(missingRule === undefined ? {} : { missingRule }),
    isOverloaded: () => false,
  })
  return { asked, decide }
}

t.test('what no rule allows is refused with 403, after it was verified', async (t) => {
  const denied = decideWithRules(ANN)
  await t.rejects(denied.decide(request({ target: '/a/../b?c' })), {
    code: 'ERR_POLICY_DENIED',
    status: 403,
  })
  t.same(denied.asked, [{ method: 'GET', path: '/a/../b', claims: ANN.claims }])
  const expired = decideWithRules(EXPIRED, { verdict: true })
  await t.rejects(expired.decide(request()), { code: 'ERR_ASSERTION_EXPIRED' })
  t.same(expired.asked, [])
  const { lines } = await decideWithRules(ANN, { verdict: true }).decide(request())
  t.same(lines, ['X-Email', 'ann'])
})

t.test('a refusal by the rules tells the log which kind of rule is missing', async (t) => {
  const { decide } = decideWithRules(ANN, { missingRule: () => 'method' })
  await t.rejects(decide(request()), {
    code: 'ERR_POLICY_DENIED',
    reason: 'no entry of allow matches the method',
    missingRule: 'method',
  })
})

t.test('rules come before identity headers', async (t) => {
  const odd = { ...ANN, claims: { sub: 'u1', email: {} } }
  await t.rejects(decideWithRules(odd).decide(request()), { code: 'ERR_POLICY_DENIED' })
  await t.rejects(decideWithRules(odd, { verdict: true }).decide(request()), {
    code: 'ERR_ASSERTION_CLAIM',
  })
})

t.test('rules see no claims of an anonymous visitor', async (t) => {
  const { asked, decide } = decideWithRules(NOBODY, { allowAnonymous: true })
  await t.rejects(decide(request()), { code: 'ERR_POLICY_DENIED' })
  t.same(asked, [{ method: 'GET', path: '/', claims: {} }])
})

t.test('rules do not judge where no identity is needed', async (t) => {
  const { asked, decide } = decideWithRules(ANN, { corsPreflight: 'allow' })
  t.same((await decide(request({ target: '/public' }))).lines, ['X-Email', 'ann'])
  const lines = [HEADER, ASSERTION, ...PREFLIGHT]
  t.same((await decide(request({ method: 'OPTIONS' }, lines))).lines, ['X-Email', 'ann'])
  t.same(asked, [])
  await t.rejects(decideWithRules(ANN).decide(request({ method: 'OPTIONS' }, lines)), {
    code: 'ERR_POLICY_DENIED',
  })
})
