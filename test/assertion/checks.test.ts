import t from 'tap'
import {
  createClaimChecks,
  type Expected,
  MAX_DATE,
  type Subject,
} from '../../src/assertion/checks.ts'
import { claimsOf, HOST, type Members, NOW, NOW_MS } from '../helpers/mint.ts'

const EXPECTED: Expected = {
  issuers: [HOST],
  audiences: [HOST],
  clockSkew: 60_000,
  maxAssertionAge: undefined,
}

/** The code and the name of the first check that refuses. */
function first(claims: Members, expected: Partial<Expected> = {}, subject: Subject = 'required') {
  for (const check of createClaimChecks({ ...EXPECTED, ...expected })) {
    const refusal = check.run(claims, { now: NOW_MS, subject })
    if (refusal !== undefined) return `${check.name}: ${refusal.code}`
  }
  return 'accepted'
}

t.test('createClaimChecks() names each check once, with its claim and setting', async (t) => {
  const rows = createClaimChecks({ ...EXPECTED, maxAssertionAge: 1 }).map(
    ({ name, claim, setting }) => `${name} ${claim} ${setting}`,
  )
  t.same(rows, [
    'issuer iss issuer',
    'audience aud audience',
    'expiry exp clock_skew',
    'not before nbf clock_skew',
    'issued at iat clock_skew',
    'age iat max_assertion_age',
    'subject sub allow_anonymous',
  ])
})

const EXPIRED = 'expiry: ERR_ASSERTION_EXPIRED'
const EXP = 'expiry: ERR_ASSERTION_CLAIM'
const NBF = 'not before: ERR_ASSERTION_CLAIM'
const IAT = 'issued at: ERR_ASSERTION_CLAIM'
const NOT_BEFORE = 'not before: ERR_ASSERTION_NOT_YET_VALID'
const FUTURE = 'issued at: ERR_ASSERTION_NOT_YET_VALID'
const ISS = 'issuer: ERR_ASSERTION_CLAIM'
const ISSUER = 'issuer: ERR_ASSERTION_ISSUER'
const AUD = 'audience: ERR_ASSERTION_CLAIM'
const AUDIENCE = 'audience: ERR_ASSERTION_AUDIENCE'
const ANONYMOUS = 'subject: ERR_ASSERTION_ANONYMOUS'
const SOON = { exp: NOW + 300 }

const edges: readonly (readonly [string, Members, string])[] = [
  ['nothing changed', {}, 'accepted'],
  ['exp now', { exp: NOW }, 'accepted'],
  ['exp a second inside the skew', { exp: NOW - 59 }, 'accepted'],
  ['exp a fraction inside the skew', { exp: NOW - 59.999 }, 'accepted'],
  ['exp at the skew', { exp: NOW - 60 }, EXPIRED],
  ['exp a second beyond the skew', { exp: NOW - 61 }, EXPIRED],
  ['exp 0', { exp: 0 }, EXPIRED],
  ['exp negative', { exp: -1 }, EXPIRED],
  ['exp the last second of the year 9999', { exp: MAX_DATE }, 'accepted'],
  ['exp the first second of the year 10000', { exp: MAX_DATE + 1 }, EXP],
  ['exp in milliseconds', { exp: NOW_MS + 300_000 }, EXP],
  ['exp absent', { exp: undefined }, EXP],
  ['exp null', { exp: null }, EXP],
  ['exp a string', { exp: String(NOW + 300) }, EXP],
  ['exp true', { exp: true }, EXP],
  ['exp a list', { exp: [NOW + 300] }, EXP],
  ['exp infinite', { exp: Number.POSITIVE_INFINITY }, EXP],
  ['exp minus infinite', { exp: Number.NEGATIVE_INFINITY }, EXP],
  ['exp not a number', { exp: Number.NaN }, EXP],
  ['nbf absent', { nbf: undefined }, 'accepted'],
  ['nbf at the skew', { nbf: NOW + 60 }, 'accepted'],
  ['nbf a fraction beyond the skew', { nbf: NOW + 60.001 }, NOT_BEFORE],
  ['nbf a second beyond the skew', { nbf: NOW + 61 }, NOT_BEFORE],
  ['nbf null', { nbf: null }, NBF],
  ['nbf a string', { nbf: String(NOW) }, NBF],
  ['nbf infinite', { nbf: Number.POSITIVE_INFINITY }, NBF],
  ['nbf in milliseconds', { nbf: NOW_MS }, NBF],
  ['iat hours ago', { iat: NOW - 36_000 }, 'accepted'],
  ['iat at the skew', { iat: NOW + 60 }, 'accepted'],
  ['iat a fraction beyond the skew', { iat: NOW + 60.001 }, FUTURE],
  ['iat a second beyond the skew', { iat: NOW + 61 }, FUTURE],
  ['iat absent', { iat: undefined }, IAT],
  ['iat null', { iat: null }, IAT],
  ['iat a string', { iat: String(NOW) }, IAT],
  ['iat infinite', { iat: Number.POSITIVE_INFINITY }, IAT],
  ['iat minus infinite', { iat: Number.NEGATIVE_INFINITY }, IAT],
  ['iat in milliseconds', { iat: NOW_MS }, IAT],
  ['sub absent', { sub: undefined }, ANONYMOUS],
  ['sub empty', { sub: '' }, ANONYMOUS],
  ['sub null', { sub: null }, ANONYMOUS],
  ['sub a number', { sub: 1 }, ANONYMOUS],
  ['sub a list', { sub: ['user-1'] }, ANONYMOUS],
  ['sub an object', { sub: {} }, ANONYMOUS],
  ['iss absent', { iss: undefined }, ISS],
  ['iss null', { iss: null }, ISS],
  ['iss a list', { iss: [HOST] }, ISS],
  ['iss an object', { iss: { 0: HOST } }, ISS],
  ['iss empty', { iss: '' }, ISSUER],
  ['iss in capitals', { iss: HOST.toUpperCase() }, ISSUER],
  ['iss with a scheme', { iss: `https://${HOST}/` }, ISSUER],
  ['iss with a port', { iss: `${HOST}:443` }, ISSUER],
  ['iss with a dot at the end', { iss: `${HOST}.` }, ISSUER],
  ['iss with a blank', { iss: ` ${HOST}` }, ISSUER],
  ['iss a subdomain', { iss: `a.${HOST}` }, ISSUER],
  ['aud in a list', { aud: [HOST] }, 'accepted'],
  ['aud in a list with others', { aud: ['a.example.com', HOST, 'b'] }, 'accepted'],
  ['aud absent', { aud: undefined }, AUD],
  ['aud null', { aud: null }, AUD],
  ['aud a number', { aud: 1 }, AUD],
  ['aud an object', { aud: { 0: HOST, length: 1 } }, AUD],
  ['aud in a nested list', { aud: [[HOST]] }, AUD],
  ['aud in a list with a number', { aud: [HOST, 1] }, AUD],
  ['aud an empty list', { aud: [] }, AUDIENCE],
  ['aud a list of others', { aud: ['a', 'b'] }, AUDIENCE],
  ['aud a prefix', { aud: HOST.slice(0, -1) }, AUDIENCE],
  ['aud with a suffix', { aud: `${HOST}.evil.example` }, AUDIENCE],
  ['aud a pattern', { aud: '*' }, AUDIENCE],
  ['aud a comma list', { aud: `x,${HOST}` }, AUDIENCE],
]

for (const [what, change, outcome] of edges) {
  t.test(`createClaimChecks() with ${what}: ${outcome}`, async (t) => {
    t.equal(first(claimsOf(change)), outcome)
  })
}

const order: readonly (readonly [Members, string])[] = [
  [{ iss: 'x', aud: 'x', exp: 0, nbf: NOW + 99, iat: NOW + 99, sub: '' }, ISSUER],
  [{ aud: 'x', exp: 0, nbf: NOW + 99, iat: NOW + 99, sub: '' }, AUDIENCE],
  [{ exp: 0, nbf: NOW + 99, iat: NOW + 99, sub: '' }, EXPIRED],
  [{ ...SOON, nbf: NOW + 99, iat: NOW + 99, sub: '' }, NOT_BEFORE],
  [{ ...SOON, iat: NOW + 99, sub: '' }, FUTURE],
  [{ ...SOON, sub: '' }, ANONYMOUS],
]
for (const [change, outcome] of order) {
  t.test(`createClaimChecks() refuses with the first of several: ${outcome}`, async (t) => {
    t.equal(first(claimsOf(change)), outcome)
  })
}

const ages: readonly (readonly [string, Members, string])[] = [
  ['a fresh assertion', { iat: NOW }, 'accepted'],
  ['one at its age and the skew', { iat: NOW - 360 }, 'accepted'],
  ['one a second older', { iat: NOW - 361 }, 'age: ERR_ASSERTION_EXPIRED'],
]
for (const [what, change, outcome] of ages) {
  t.test(
    `createClaimChecks() with a greatest age of five minutes and ${what}: ${outcome}`,
    async (t) => {
      t.equal(first(claimsOf(change), { maxAssertionAge: 300_000 }), outcome)
    },
  )
}

t.test('createClaimChecks() makes each check stand by itself', async (t) => {
  const checks = createClaimChecks({ ...EXPECTED, maxAssertionAge: 300_000 })
  const moment = { now: NOW_MS, subject: 'required' } as const
  const codes = checks.map(({ run }) => run({}, moment)?.code)
  const CLAIM = 'ERR_ASSERTION_CLAIM'
  const wanted = [CLAIM, CLAIM, CLAIM, undefined, CLAIM, CLAIM, 'ERR_ASSERTION_ANONYMOUS']
  t.same(codes, wanted)
})

t.test('createClaimChecks() without a skew allows none', async (t) => {
  t.equal(first(claimsOf({ exp: NOW }), { clockSkew: 0 }), EXPIRED)
  t.equal(first(claimsOf({ exp: NOW + 0.5 }), { clockSkew: 0 }), 'accepted')
  t.equal(first(claimsOf({ iat: NOW }), { clockSkew: 0 }), 'accepted')
  t.equal(first(claimsOf({ iat: NOW + 1 }), { clockSkew: 0 }), FUTURE)
})

const subjects: readonly (readonly [unknown, string])[] = [
  ['', 'accepted'],
  ['user-1', 'accepted'],
  [undefined, ANONYMOUS],
  [null, ANONYMOUS],
  [0, ANONYMOUS],
  [[], ANONYMOUS],
]
for (const [sub, outcome] of subjects) {
  t.test(
    `createClaimChecks() where sub may be empty and is ${JSON.stringify(sub)}: ${outcome}`,
    async (t) => {
      t.equal(first(claimsOf({ sub }), {}, 'may-be-empty'), outcome)
    },
  )
}

t.test('createClaimChecks() compares with every issuer and audience', async (t) => {
  const expected = { issuers: ['a', `https://${HOST}/`], audiences: ['b', 'c'] }
  t.equal(first(claimsOf({ iss: `https://${HOST}/`, aud: 'c' }), expected), 'accepted')
  t.equal(first(claimsOf({ iss: 'a', aud: ['b'] }), expected), 'accepted')
  t.equal(first(claimsOf({ iss: 'b', aud: 'b' }), expected), ISSUER)
  t.equal(first(claimsOf({ iss: 'a', aud: 'a' }), expected), AUDIENCE)
})

const patterns: readonly (readonly [string, string, boolean])[] = [
  ['*.example.com', 'a.example.com', true],
  ['*.example.com', 'a-1.b_2.Example-3.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*.example.com', '.example.com', false],
  ['*.example.com', 'a..example.com', false],
  ['*.example.com', '.a.example.com', false],
  ['*.example.com', 'aexample.com', false],
  ['*.example.com', 'a.EXAMPLE.com', false],
  ['*.example.com', 'a.example.com.evil.example', false],
  ['*.example.com', 'evil.example/.example.com', false],
  ['*.example.com', 'evil.example#.example.com', false],
  ['*.example.com', 'a:1.example.com', false],
  ['*.example.com', 'a@b.example.com', false],
  ['*.example.com', 'a b.example.com', false],
  ['*.example.com', 'é.example.com', false],
  ['*.example.com', '*.example.com', false],
  ['*.example.com', 'https://a.example.com/', false],
  ['https://*.example.com/', 'https://a.b.example.com/', true],
  ['https://*.example.com/', 'https://a.example.com', false],
  ['https://*.example.com/', 'https://example.com/', false],
  ['https://*.example.com/', 'http://a.example.com/', false],
  ['https://*.example.com/', 'https://evil.example/a.example.com/', false],
  ['https://*.example.com/', 'evil.co/a.example.com/', false],
  ['https://*.example.com/', 'https://.example.com/', false],
  ['a.*.example.com', 'a.b.example.com', false],
  ['a.*.example.com', 'a.*.example.com', true],
  ['*', 'anything', false],
  ['*.', 'a.', false],
]
for (const [pattern, value, isTaken] of patterns) {
  t.test(
    `createClaimChecks() ${isTaken ? 'takes' : 'refuses'} ${value} for ${pattern}`,
    async (t) => {
      const [issuer, audience] = isTaken ? ['accepted', 'accepted'] : [ISSUER, AUDIENCE]
      t.equal(first(claimsOf({ iss: value }), { issuers: [pattern] }), issuer)
      t.equal(first(claimsOf({ aud: value }), { audiences: [pattern] }), audience)
    },
  )
}
