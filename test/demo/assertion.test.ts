import t from 'tap'
import { assertionClaims } from '../../src/demo/assertion.ts'
import { DEMO_USERS, findDemoUser } from '../../src/demo/users.ts'

t.test("a signed-in user's claims are Pomerium's claim set, no more and no less", async (t) => {
  const claims = assertionClaims({
    host: 'app.example.com',
    user: findDemoUser('ana'),
    jti: 'one-of-a-kind',
    sid: 'session',
    now: 1_800_000_000.75,
  })
  t.strictSame(claims, {
    iss: 'app.example.com',
    aud: 'app.example.com',
    jti: 'one-of-a-kind',
    iat: 1_800_000_000,
    exp: 1_800_000_300,
    sub: '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    user: '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    email: 'ana@example.com',
    groups: ['g-1001', 'g-1002', 'admins', 'staff'],
    sid: 'session',
    name: 'Ana Kovač',
  })
})

t.test('a visitor whom nobody signed in gets empty strings and an empty list', async (t) => {
  const claims = assertionClaims({ host: 'h', user: undefined, jti: 'j', sid: 's', now: 1 })
  t.match(claims, { sub: '', user: '', email: '', sid: '', name: '', jti: 'j', iat: 1, exp: 301 })
  t.strictSame(claims.groups, [])
})

t.test('findDemoUser knows the demo users and nobody else', async (t) => {
  t.strictSame(
    DEMO_USERS.map(({ login }) => login),
    ['ana', 'bob', 'lukasz', 'hanako'],
  )
  for (const login of ['', 'ANA', 'carol', null, undefined]) t.equal(findDemoUser(login), undefined)
})
