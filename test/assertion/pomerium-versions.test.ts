// What each line of Pomerium signs, with the settings that take it, and what must stay refused all the same.
import t from 'tap'
import { takeAssertion } from '../../src/assertion/take.ts'
import { createVerifier, type VerifierDeps } from '../../src/assertion/verify.ts'
import { createKey, memoryKeySet, verificationKey } from '../helpers/keys.ts'
import { HOST, type Members, mint, NOW, NOW_MS } from '../helpers/mint.ts'

const AUTHENTICATE = 'authenticate.example.com'
const HEADER = 'X-Pomerium-Jwt-Assertion'

const ec = createKey('ES256')
const rsa = createKey('RS256')
const ed = createKey('EdDSA')
const nameless = { ...createKey('ES256'), kid: '' }
const keySet = memoryKeySet(await Promise.all([ec, rsa, ed, nameless].map(verificationKey)))

type Expected = VerifierDeps['expected']

/** What `route: https://grafana.example.com` makes of the settings. */
const ROUTE: Expected = {
  issuers: [HOST, `https://${HOST}/`],
  audiences: [HOST],
  algorithms: ['ES256'],
  clockSkew: 60_000,
  maxAssertionAge: undefined,
}
const CENTRAL: Expected = { ...ROUTE, issuers: [AUTHENTICATE] }

const USER = { sub: 'user-1', user: 'user-1', email: 'ann@example.com', groups: ['dev'] }
const NOBODY = { sub: '', user: '', email: '', name: '', sid: '', groups: [] }
const NOW_DATES = { iat: NOW, exp: NOW + 300 }

interface Shape {
  readonly what: string
  readonly claims: Members
  readonly header?: Members
  readonly key?: typeof ec
  readonly expected?: Expected
  readonly subject?: 'may-be-empty'
  readonly outcome?: string
}

const v33 = { iss: HOST, aud: HOST, jti: 'uuid', ...NOW_DATES, ...USER, sid: 's', name: 'Ann' }
const v26 = { iss: HOST, aud: HOST, jti: 's', sid: 's', iat: NOW - 7200, exp: NOW + 300, ...USER }
const v20 = { ...v26, iss: AUTHENTICATE }
const v12 = { iss: AUTHENTICATE, aud: HOST, iat: NOW - 600, exp: NOW + 3000, ...USER }
const v09 = {
  iss: AUTHENTICATE,
  aud: [AUTHENTICATE, HOST, 'callback.example.com'],
  nbf: NOW,
  iat: NOW,
  exp: NOW + 3600,
  email_verified: true,
  programatic: false,
  ...USER,
}
const v04 = {
  ...NOW_DATES,
  iss: 'pomerium-proxy',
  aud: [HOST],
  nbf: NOW - 300,
  ...USER,
  groups: 'dev,ops',
}

const ANONYMOUS = 'ERR_ASSERTION_ANONYMOUS'

const shapes: readonly Shape[] = [
  { what: 'v0.33', claims: v33 },
  { what: 'v0.33 with jwt_issuer_format uri', claims: { ...v33, iss: `https://${HOST}/` } },
  {
    what: 'v0.33 with RS256',
    claims: v33,
    key: rsa,
    expected: { ...ROUTE, algorithms: ['RS256'] },
  },
  { what: 'v0.33 of a service account', claims: { ...v33, email: '' } },
  {
    what: 'v0.33 of a wildcard route',
    claims: { ...v33, iss: 'a.b.example.com', aud: 'a.b.example.com' },
    expected: { ...ROUTE, issuers: ['*.example.com'], audiences: ['*.example.com'] },
  },
  {
    what: 'v0.33 of a wildcard route with jwt_issuer_format uri',
    claims: { ...v33, iss: 'https://a.example.com/', aud: 'a.example.com' },
    expected: { ...ROUTE, issuers: ['https://*.example.com/'], audiences: ['*.example.com'] },
  },
  { what: 'v0.33 of a public route', claims: { ...v33, ...NOBODY }, outcome: ANONYMOUS },
  {
    what: 'v0.33 of a public route where sub may be empty',
    claims: { ...v33, ...NOBODY },
    subject: 'may-be-empty',
  },
  {
    what: 'v0.33 of another route',
    claims: { ...v33, aud: 'x.example.com' },
    outcome: 'ERR_ASSERTION_AUDIENCE',
  },
  {
    what: 'v0.33 of another Pomerium',
    claims: { ...v33, iss: 'x.example.com' },
    outcome: 'ERR_ASSERTION_ISSUER',
  },
  {
    what: 'v0.33 asked for in capitals',
    claims: { ...v33, aud: HOST.toUpperCase() },
    outcome: 'ERR_ASSERTION_AUDIENCE',
  },
  { what: 'v0.28.0 with groups null', claims: { ...v33, groups: null } },
  { what: 'v0.27 with iat rounded up', claims: { ...v33, iat: NOW + 1 } },
  { what: 'v0.26 with the date of the session', claims: v26 },
  {
    what: 'v0.26 with the date of the session and max_assertion_age',
    claims: v26,
    expected: { ...ROUTE, maxAssertionAge: 300_000 },
    outcome: 'ERR_ASSERTION_EXPIRED',
  },
  {
    what: 'v0.26 of a public route, without iat',
    claims: { iss: HOST, aud: HOST, exp: NOW + 300, ...NOBODY },
    subject: 'may-be-empty',
    outcome: 'ERR_ASSERTION_CLAIM',
  },
  { what: 'v0.20 by the authenticate service', claims: v20, expected: CENTRAL },
  { what: 'v0.20 with the issuer of newer ones', claims: v20, outcome: 'ERR_ASSERTION_ISSUER' },
  {
    what: 'v0.14.0 with fractions of seconds',
    claims: { ...v20, iat: NOW - 3.25, exp: NOW + 296.75 },
    expected: CENTRAL,
  },
  { what: 'v0.12 without typ', claims: v12, header: { typ: undefined }, expected: CENTRAL },
  {
    what: 'v0.12 with groups null',
    claims: { ...v12, groups: null },
    header: { typ: undefined },
    expected: CENTRAL,
  },
  {
    what: 'v0.12 with EdDSA',
    claims: v12,
    key: ed,
    expected: { ...CENTRAL, algorithms: ['EdDSA'] },
  },
  {
    what: 'v0.12 with EdDSA, not allowed',
    claims: v12,
    key: ed,
    expected: CENTRAL,
    outcome: 'ERR_ASSERTION_ALGORITHM',
  },
  {
    what: 'v0.12 of a public route: iss and aud alone',
    claims: { iss: AUTHENTICATE, aud: HOST },
    expected: CENTRAL,
    subject: 'may-be-empty',
    outcome: 'ERR_ASSERTION_CLAIM',
  },
  { what: 'v0.10 with an empty key ID', claims: v12, key: nameless, expected: CENTRAL },
  {
    what: 'v0.9 with alg alone',
    claims: v09,
    header: { typ: undefined, kid: undefined },
    expected: CENTRAL,
  },
  {
    what: 'v0.9 of another route',
    claims: { ...v09, aud: [AUTHENTICATE, 'x.example.com'] },
    header: { typ: undefined, kid: undefined },
    expected: CENTRAL,
    outcome: 'ERR_ASSERTION_AUDIENCE',
  },
  {
    what: 'v0.4 by pomerium-proxy',
    claims: v04,
    header: { kid: undefined },
    expected: { ...ROUTE, issuers: ['pomerium-proxy'] },
  },
  {
    what: 'custom claims with dots, URLs and exponents',
    claims: { ...v33, 'a.b': 'x', 'https://example.com/roles': 'y', employee: '1.234567e+06' },
  },
]

for (const { what, claims, header = {}, key = ec, expected = ROUTE, subject, outcome } of shapes) {
  t.test(`Pomerium ${what}: ${outcome ?? 'accepted'}`, async (t) => {
    const verify = createVerifier({ keySet, expected, now: () => NOW_MS })
    // Text, so that nothing is laid over the claims of today's Pomerium.
    const token = mint({ key, header, claims: JSON.stringify(claims) })
    const verified = verify(takeAssertion([HEADER, token], HEADER), subject ?? 'required')
    if (outcome === undefined) t.same({ ...(await verified).claims }, claims)
    else await t.rejects(verified, { code: outcome })
  })
}

t.test('Pomerium without a signing key: an empty header', async (t) => {
  t.throws(() => takeAssertion([HEADER, ''], HEADER), { code: 'ERR_ASSERTION_EMPTY' })
})

t.test('Pomerium with the assertion mapped twice: two joined by a comma', async (t) => {
  const token = mint({ key: ec })
  t.throws(() => takeAssertion([HEADER, `${token},${token}`], HEADER), {
    code: 'ERR_ASSERTION_DUPLICATE',
  })
})

t.test('Pomerium with the assertion in Authorization', async (t) => {
  const token = mint({ key: ec })
  t.equal(takeAssertion(['Authorization', `Bearer ${token}`], 'Authorization'), token)
})
