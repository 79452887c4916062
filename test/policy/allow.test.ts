import t from 'tap'
import type { AllowEntry } from '../../src/config/config.ts'
import { createAllow, type Visit } from '../../src/policy/allow.ts'

const visit = (changes: Partial<Visit> = {}): Visit => ({
  method: 'GET',
  path: '/',
  claims: { sub: 'u1', email: 'ann@example.com', groups: ['staff', 'ops'] },
  ...changes,
})

const entry = (changes: Partial<AllowEntry> = {}): AllowEntry => ({
  paths: undefined,
  methods: undefined,
  claims: [],
  ...changes,
})

const needs = (claim: string, ...globs: string[]) => entry({ claims: [{ claim, globs }] })

t.test('without the setting everybody passes, without an entry nobody', async (t) => {
  t.ok(createAllow(undefined)(visit({ claims: {} })))
  t.notOk(createAllow([])(visit()))
})

t.test('any value of a claim may match any of its globs', async (t) => {
  t.ok(createAllow([needs('groups', 'admins', 'ops')])(visit()))
  t.ok(createAllow([needs('groups', 'st*f')])(visit()))
  t.notOk(createAllow([needs('groups', 'admins', 'op')])(visit()))
  t.notOk(createAllow([needs('groups', 'Ops')])(visit()), 'case counts')
})

t.test('all claims of an entry have to match', async (t) => {
  const rule = createAllow([
    entry({
      claims: [
        { claim: 'groups', globs: ['ops'] },
        { claim: 'email', globs: ['*@example.com'] },
      ],
    }),
  ])
  t.ok(rule(visit()))
  t.notOk(rule(visit({ claims: { groups: ['ops'], email: 'ann@example.org' } })))
  t.notOk(rule(visit({ claims: { groups: ['dev'], email: 'ann@example.com' } })))
  t.notOk(rule(visit({ claims: { groups: ['ops'] } })))
})

t.test('a glob matches the whole value', async (t) => {
  const rule = createAllow([needs('email', '*@example.com')])
  for (const email of ['ann@example.com.evil', 'ann@example.comm', 'ann@xexample.org'])
    t.notOk(rule(visit({ claims: { email } })), email)
})

t.test('paths, methods and claims of an entry have to match together', async (t) => {
  const rule = createAllow([
    entry({
      paths: ['/admin/*'],
      methods: ['GET', 'HEAD'],
      claims: [{ claim: 'groups', globs: ['ops'] }],
    }),
  ])
  const inside = { path: '/admin/x' }
  t.ok(rule(visit(inside)))
  t.ok(rule(visit({ ...inside, method: 'HEAD' })))
  t.notOk(rule(visit({ ...inside, method: 'POST' })))
  t.notOk(rule(visit({ ...inside, method: 'get' })))
  t.notOk(rule(visit({ path: '/other' })))
  t.notOk(rule(visit({ path: '/admin/../x' })))
  t.notOk(rule(visit({ ...inside, claims: { groups: ['dev'] } })))
})

t.test('one entry is enough, and what two match in halves is not', async (t) => {
  const rule = createAllow([
    entry({ paths: ['/a'], claims: [{ claim: 'groups', globs: ['admins'] }] }),
    entry({ paths: ['/b'], claims: [{ claim: 'groups', globs: ['ops'] }] }),
  ])
  t.ok(rule(visit({ path: '/b' })))
  t.notOk(rule(visit({ path: '/a' })))
})

t.test('an entry without paths does not look at the path', async (t) => {
  t.ok(createAllow([needs('sub', 'u1')])(visit({ path: '//a/../b' })))
})

const values: readonly (readonly [claim: unknown, glob: string, matches: boolean])[] = [
  [7, '7', true],
  [7, '*', true],
  [1.5, '1.5', true],
  [true, 'true', true],
  [[1001, 'x'], '1001', true],
  ['', '*', false],
  [[], '*', false],
  [['', null], '*', false],
  [null, '*', false],
  [undefined, '*', false],
  [{ admins: true }, '*', false],
  [[['admins']], 'admins', false],
  [2 ** 53, '*', false],
  [Number.POSITIVE_INFINITY, '*', false],
  ['admins\n', '*', false],
  [' admins', '*', false],
  ['admins,ops', 'ops', false],
  ['*', 'admins', false],
]

for (const [claim, glob, matches] of values)
  t.test(
    `${JSON.stringify(claim)} ${matches ? 'matches' : 'does not match'} ${glob}`,
    async (t) => {
      t.equal(createAllow([needs('c', glob)])(visit({ claims: { c: claim } })), matches)
    },
  )

t.test(
  'claims are found by literal name first, then by dotted path, and never inherited',
  async (t) => {
    const rule = createAllow([needs('realm.roles', 'admin')])
    t.ok(rule(visit({ claims: { realm: { roles: ['admin'] } } })))
    t.ok(rule(visit({ claims: { 'realm.roles': 'admin' } })))
    t.notOk(rule(visit({ claims: { 'realm.roles': 'user', realm: { roles: ['admin'] } } })))
    t.notOk(createAllow([needs('constructor.name', '*')])(visit()))
  },
)
