import fc from 'fast-check'
import t from 'tap'
import type { IdentityHeader } from '../../src/config/config.ts'
import { foldName } from '../../src/identity/fold.ts'
import { createReserved } from '../../src/identity/strip.ts'

const header = (name: string): IdentityHeader => ({
  header: name,
  claims: ['email'],
  separator: ',',
  encoding: 'utf8',
  transforms: [],
  only: [],
  maxBytes: undefined,
})

const create = (assertionHeader = 'X-Pomerium-Jwt-Assertion') =>
  createReserved({
    identityHeaders: [header('X-WEBAUTH-USER'), header('Remote-Groups')],
    reservedHeaders: ['x-webauth-role'],
    assertionHeader,
  })

const reserved = [
  'X-Pomerium-Jwt-Assertion',
  'x-pomerium-jwt-assertion-for',
  'X-Pomerium-Claim-Anything',
  'X-Pomerium-',
  'X-Pomerium',
  'x_pomerium',
  'X_POMERIUM_CLAIM_EMAIL',
  'x.pomerium.authenticated.user.email',
  'X-WEBAUTH-USER',
  'x_webauth_user',
  'X.Webauth-User',
  'X-Webauth-Role',
  'x~webauth~role',
  'remote_groups',
]
const free = [
  'Host',
  'Cookie',
  'X-Pomeriumx',
  'X-Pomeriu',
  'HTTP_X_POMERIUM_CLAIM_EMAIL',
  'X-X-Pomerium-Claim-Email',
  'X--Pomerium--Claim',
  'X-WEBAUTH-USERS',
  'X-WEBAUTH',
  'Remote-User',
  'X-Forwarded-For',
  '__proto__',
  'constructor',
  '',
]

for (const name of reserved) {
  t.test(`createReserved() strips ${name}`, async (t) => t.equal(create()(name, 'x'), true))
}
for (const name of free) {
  t.test(`createReserved() leaves ${JSON.stringify(name)}`, async (t) => {
    t.equal(create()(name, 'x'), false)
  })
}

t.test('createReserved() strips the assertion header, whichever it is', async (t) => {
  t.equal(create('X-My-Jwt')('x_my_jwt', 'x'), true)
  t.equal(create('X-My-Jwt')('X-Pomerium-Jwt-Assertion', 'x'), true)
  t.equal(create('Authorization')('authorization', 'Basic eDp5'), true)
})

t.test('createReserved() strips what begins with no letter, in every spelling', async (t) => {
  const isReserved = createReserved({
    identityHeaders: [header('_User')],
    reservedHeaders: ['1st'],
    assertionHeader: 'X-Jwt',
  })
  for (const name of ['_user', '-USER', '.User', '~user', '1ST', '1st'])
    t.equal(isReserved(name, 'x'), true, name)
  for (const name of ['_users', 'user', '2st', '1st-']) t.equal(isReserved(name, 'x'), false, name)
})

const sessions: readonly (readonly [string, string, boolean])[] = [
  ['Authorization', 'Bearer Pomerium-eyJ', true],
  ['authorization', 'bearer pomerium-eyJ', true],
  ['AUTHORIZATION', ' \tBEARER \t POMERIUM-eyJ', true],
  ['Authorization', 'Bearer Pomerium-', true],
  ['Authorization', 'Bearer eyJ', false],
  ['Authorization', 'Bearer PomeriumeyJ', false],
  ['Authorization', 'Basic Pomerium-eyJ', false],
  ['Authorization', 'Basic Bearer Pomerium-eyJ', false],
  ['Authorization', 'BearerPomerium-eyJ', false],
  ['Authorisation', 'Bearer Pomerium-eyJ', false],
]
for (const [name, value, isReserved] of sessions) {
  t.test(`createReserved() ${isReserved ? 'strips' : 'leaves'} ${name}: ${value}`, async (t) => {
    t.equal(create()(name, value), isReserved)
  })
}

t.test('createReserved() answers the same for a name it has seen before', async (t) => {
  const isReserved = create()
  for (let round = 0; round < 3; round += 1) {
    t.equal(isReserved('X_WEBAUTH_USER', 'x'), true)
    t.equal(isReserved('Accept', 'x'), false)
    // More names than it remembers.
    for (let i = 0; i < 2000; i += 1) isReserved(`X-Filler-${i}`, 'x')
  }
  t.equal(isReserved(`X-Pomerium-${'a'.repeat(5000)}`, 'x'), true)
})

t.test('createReserved() lets no name pass that folds to a reserved one', async (t) => {
  const isReserved = create()
  const names = [
    'x-pomerium',
    'x-pomerium-claim-email',
    'x-webauth-user',
    'x-webauth-role',
    'remote-groups',
  ]
  const substitutes = "-_.~!#$%&'*+^`|"
  const spelling = fc
    .tuple(
      fc.constantFrom(...names),
      fc.infiniteStream(fc.nat(substitutes.length - 1)),
      fc.infiniteStream(fc.boolean()),
    )
    .map(([name, marks, cases]) =>
      [...name]
        .map((c) =>
          c === '-'
            ? substitutes[marks.next().value ?? 0]
            : cases.next().value
              ? c.toUpperCase()
              : c,
        )
        .join(''),
    )
  fc.assert(
    fc.property(spelling, (name) => isReserved(name, 'mallory')),
    { numRuns: 3000 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 20 }), (name) => {
      const folded = foldName(name)
      const isOurs = names.includes(folded) || folded.startsWith('x-pomerium-')
      return isReserved(name, '') === isOurs
    }),
    { numRuns: 3000 },
  )
  t.pass('for 6000 names')
})
