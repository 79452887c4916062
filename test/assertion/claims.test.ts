import t from 'tap'
import { isObject, readClaim } from '../../src/assertion/claims.ts'

const claims = Object.assign(Object.create(null), {
  email: 'ann@example.com',
  'a.b': 'literal',
  a: { b: 'nested', c: { d: 1 }, list: ['x'] },
  'https://example.com/roles': ['admin'],
  nothing: null,
})

const found = [
  ['email', 'ann@example.com'],
  ['a.b', 'literal'],
  ['a.c.d', 1],
  ['https://example.com/roles', ['admin']],
  ['nothing', null],
] as const

for (const [name, value] of found) {
  t.test(`readClaim() finds ${name}`, async (t) => t.same(readClaim(claims, name), value))
}

const absent = [
  'Email',
  'a.x',
  'a.c.d.e',
  'a.list.0',
  'a.list.length',
  'email.length',
  'nothing.x',
  'constructor',
  'a.constructor',
  'a.constructor.name',
  '__proto__',
  'a.__proto__',
  'a.toString',
  '',
  '.',
  'a.',
]

for (const name of absent) {
  t.test(`readClaim() finds nothing as ${JSON.stringify(name)}`, async (t) => {
    t.equal(readClaim(claims, name), undefined)
  })
}

t.test('readClaim() finds nothing that an ordinary object inherits', async (t) => {
  for (const name of ['toString', 'constructor', '__proto__', 'constructor.name']) {
    t.equal(readClaim({ email: 'ann@example.com' }, name), undefined)
  }
})

t.test('isObject() is true for objects alone', async (t) => {
  t.equal(isObject({}), true)
  for (const value of [[], null, undefined, 'a', 1, true]) t.equal(isObject(value), false)
})
