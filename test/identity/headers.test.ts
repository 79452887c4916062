import t from 'tap'
import type { IdentityHeader, Separator } from '../../src/config/config.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import type { Members } from '../helpers/mint.ts'

const REFUSED = { code: 'ERR_ASSERTION_CLAIM', status: 401 }

function row(changes: Partial<IdentityHeader> = {}): IdentityHeader {
  return {
    header: 'X-Groups',
    claims: ['groups'],
    separator: ',',
    encoding: 'utf8',
    transforms: [],
    only: [],
    maxBytes: undefined,
    ...changes,
  }
}

const derive = (claims: Members, changes: Partial<IdentityHeader> = {}) =>
  createIdentityHeaders([row(changes)])(Object.assign(Object.create(null), claims))

/** The one value, or `undefined` where there is no line. */
function sentFor(groups: unknown, changes: Partial<IdentityHeader> = {}): string | undefined {
  const { lines } = derive({ groups }, changes)
  if (lines.length > 2) throw new Error('more than one line')
  return lines[1]
}

t.test('IdentityHeaders gives the lines in the order and spelling of the settings', async (t) => {
  const derive = createIdentityHeaders([
    row({ header: 'X-WEBAUTH-USER', claims: ['email'] }),
    row({ header: 'x-name', claims: ['name'] }),
    row(),
  ])
  t.same(derive({ groups: ['a', 'b'], name: 'José', email: 'ann@example.com', other: 1 }), {
    lines: ['X-WEBAUTH-USER', 'ann@example.com', 'x-name', 'Jos\u00c3\u00a9', 'X-Groups', 'a,b'],
    dropped: 0,
  })
  t.same(derive({}), { lines: [], dropped: 0 })
  t.same(createIdentityHeaders([])({ email: 'a' }), { lines: [], dropped: 0 })
})

for (const claim of [undefined, null, '', [], [''], [null], [null, '']]) {
  for (const separator of [',', 'json', 'repeat'] as const) {
    t.test(
      `IdentityHeaders sends nothing for ${JSON.stringify(claim)} with ${separator}`,
      async (t) => {
        t.same(derive({ groups: claim }, { separator }), { lines: [], dropped: 0 })
      },
    )
  }
}

t.test('IdentityHeaders finds no inherited member', async (t) => {
  for (const name of ['constructor', 'toString', '__proto__', 'groups.length', 'a.constructor']) {
    t.same(derive({ groups: ['a'], a: {} }, { claims: [name] }).lines, [])
  }
})

t.test('IdentityHeaders sends the first claim that is not empty', async (t) => {
  const changes = { claims: ['email', 'profile.mail', 'sub'] }
  t.equal(derive({ email: 'e', sub: 's' }, changes).lines[1], 'e')
  t.equal(derive({ email: '', sub: 's' }, changes).lines[1], 's')
  t.equal(derive({ email: [''], profile: { mail: 'm' }, sub: 's' }, changes).lines[1], 'm')
  t.equal(
    derive({ email: null, 'profile.mail': 'l', profile: { mail: 'm' } }, changes).lines[1],
    'l',
  )
  t.equal(derive({ email: false, sub: 's' }, changes).lines[1], 'false')
  t.throws(() => derive({ email: ' ', sub: 's' }, changes), REFUSED)
})

const joined: readonly (readonly [Separator, unknown, readonly string[], number])[] = [
  [',', ['a', 'b'], ['a,b'], 0],
  [',', ['a', '', null, 'b'], ['a,b'], 0],
  [',', ['a', 'dev,admin', 'b'], ['a,b'], 1],
  [',', ['a|b', 'c d'], ['a|b,c d'], 0],
  [',', ['dev,admin'], [], 1],
  [',', ['a', 'a'], ['a,a'], 0],
  [',', ['a', 1, true], ['a,1,true'], 0],
  [',', 'Doe, Jane', ['Doe, Jane'], 0],
  ['|', ['a', 'b|c', 'd,e'], ['a|d,e'], 1],
  ['space', ['a', 'b c', 'd,e'], ['a d,e'], 1],
  ['repeat', ['a', 'b c', 'd,e'], ['a', 'b c'], 1],
  ['repeat', 'Doe, Jane', ['Doe, Jane'], 0],
  ['json', ['a', 'b,c', '', null, 1], ['["a","b,c","",null,1]'], 0],
  ['json', 'a', ['"a"'], 0],
  ['json', { a: [{ b: 1 }] }, ['{"a":[{"b":1}]}'], 0],
  ['json', [['a'], ['b']], ['[["a"],["b"]]'], 0],
  ['json', 'José', ['"Jos\u00c3\u00a9"'], 0],
]
for (const [separator, claim, values, dropped] of joined) {
  t.test(
    `IdentityHeaders with ${separator} sends ${JSON.stringify(claim)} as ${JSON.stringify(values)}`,
    async (t) => {
      const lines = values.flatMap((value) => ['X-Groups', value])
      t.same(derive({ groups: claim }, { separator }), { lines, dropped })
    },
  )
}

t.test('IdentityHeaders counts what it leaves out over all headers', async (t) => {
  const derive = createIdentityHeaders([row(), row({ header: 'X-Other' })])
  t.equal(derive({ groups: ['a,b', 'c', 'd,e'] }).dropped, 4)
})

const unusable: readonly (readonly [string, unknown])[] = [
  ['an object', { a: 1 }],
  ['an empty object', {}],
  ['a list in a list', [['a']]],
  ['an empty list in a list', ['a', []]],
  ['an object in a list', [{ n: 'a' }]],
  ['a line break', 'a\r\nX-Injected: 1'],
  ['a line break in an item', ['a', 'b\nc']],
  ['a tab', 'a\tb'],
  ['DEL', 'a\u007f'],
  ['a C1 control', 'a\u0085b'],
  ['a lone surrogate', '\ud800'],
  ['a lone surrogate in an item', ['a', '\udc00']],
  ['a blank in front', ' a'],
  ['a blank behind', 'a '],
  ['blanks around an item', ['a', ' b ']],
  ['only blanks', '   '],
  ['a number too large to be exact', 2 ** 53],
  ['an infinite number', Number.POSITIVE_INFINITY],
  ['an inexact number in a list', [1e300]],
]
for (const [what, claim] of unusable) {
  t.test(`IdentityHeaders refuses ${what}`, async (t) => {
    for (const separator of [',', '|', 'space', 'repeat'] as const) {
      for (const encoding of ['utf8', 'base64', 'percent'] as const) {
        t.throws(() => derive({ groups: claim }, { separator, encoding }), REFUSED)
      }
    }
  })
}

const unusableJson: readonly (readonly [string, unknown])[] = [
  ['a line break', { a: 'b\n' }],
  ['a control character in a name', { 'a\u007f': 1 }],
  ['a lone surrogate', ['\ud800']],
  ['a blank at an end', [{ a: ' b' }]],
  ['a number that is not exact', { a: [2 ** 53] }],
]
for (const [what, claim] of unusableJson) {
  t.test(`IdentityHeaders refuses ${what} inside JSON`, async (t) => {
    t.throws(() => derive({ groups: claim }, { separator: 'json' }), REFUSED)
  })
}

t.test('IdentityHeaders refuses for one header whatever the others hold', async (t) => {
  const derive = createIdentityHeaders([row({ claims: ['name'] }), row()])
  t.throws(() => derive({ name: 'Ann', groups: ['a\n'] }), REFUSED)
})

t.test('IdentityHeaders does not look at claims that no header wants', async (t) => {
  t.equal(derive({ groups: ['a'], name: 'a\nb', deep: { a: [] } }).lines[1], 'a')
})

t.test('IdentityHeaders sends only the items that match', async (t) => {
  const only = ['team-*', 'ops']
  t.same(derive({ groups: ['team-a', 'dev', 'ops', 'team-b,c'] }, { only }), {
    lines: ['X-Groups', 'team-a,ops'],
    dropped: 1,
  })
  t.same(derive({ groups: ['dev', 'x,y'] }, { only }), { lines: [], dropped: 0 })
  t.equal(sentFor('ops', { only }), 'ops')
  t.equal(sentFor('dev', { only }), undefined)
  t.equal(sentFor(['team-a', 1, { a: 1 }, 'dev'], { only, separator: 'json' }), '["team-a"]')
  t.equal(sentFor(['a', 1, null], { only: ['*'], separator: 'json' }), '["a"]')
  t.equal(sentFor(['dev'], { only, separator: 'json' }), undefined)
  t.equal(sentFor({ a: 1 }, { only, separator: 'json' }), undefined)
  t.throws(() => derive({ groups: ['dev', 'b\n'] }, { only }), REFUSED)
})

t.test('IdentityHeaders transforms after choosing, each item by itself', async (t) => {
  t.equal(sentFor(['Dev', 'OPS'], { transforms: ['lower'] }), 'dev,ops')
  t.equal(sentFor(['Dev', 'dev'], { transforms: ['lower'], only: ['D*'] }), 'dev')
  t.equal(sentFor('Ann@Example.com', { transforms: ['local_part', 'lower'] }), 'ann')
  t.equal(
    sentFor(['A@x', { b: 'C' }], { transforms: ['lower'], separator: 'json' }),
    '["a@x",{"b":"C"}]',
  )
  t.same(derive({ groups: ['a,b@x'] }, { transforms: ['local_part'] }), { lines: [], dropped: 1 })
  t.throws(() => derive({ groups: 'a@b@c' }, { transforms: ['local_part'] }), REFUSED)
})

t.test('IdentityHeaders encodes the joined value', async (t) => {
  t.equal(sentFor(['é', 'b'], { encoding: 'base64' }), Buffer.from('é,b').toString('base64'))
  t.equal(sentFor(['é', 'b%'], { encoding: 'percent' }), '%C3%A9,b%25')
  t.equal(sentFor(['é', 'b'], { encoding: 'rfc2047' }), '=?UTF-8?B?w6ksYg==?=')
  t.equal(sentFor(['é', 'b='], { encoding: 'quoted-printable' }), '=C3=A9,b=3D')
})

t.test('IdentityHeaders in ASCII refuses what is not, and escapes it inside JSON', async (t) => {
  t.equal(sentFor(['a'], { encoding: 'ascii' }), 'a')
  t.throws(() => derive({ groups: ['é'] }, { encoding: 'ascii' }), REFUSED)
  const json = sentFor(['é😀'], { encoding: 'ascii', separator: 'json' })
  t.equal(json, '["\\u00e9\\ud83d\\ude00"]')
})

t.test('IdentityHeaders refuses a value longer than its limit, in bytes as sent', async (t) => {
  t.equal(sentFor('abc', { maxBytes: 3 }), 'abc')
  t.throws(() => derive({ groups: 'abcd' }, { maxBytes: 3 }), REFUSED)
  t.throws(() => derive({ groups: 'aé' }, { maxBytes: 2 }), REFUSED)
  t.throws(() => derive({ groups: 'abc' }, { maxBytes: 3, encoding: 'base64' }), REFUSED)
  t.same(derive({ groups: ['abc', 'def'] }, { maxBytes: 3, separator: 'repeat' }).lines.length, 4)
  t.throws(() => derive({ groups: ['abc', 'defg'] }, { maxBytes: 3, separator: 'repeat' }), REFUSED)
})

t.test('IdentityHeaders names no claim value in a refusal', async (t) => {
  try {
    derive({ groups: ['secret-group\n'] })
    t.fail('refused')
  } catch (error) {
    t.notMatch(`${(error as Error).stack}${JSON.stringify(error)}`, 'secret-group')
  }
})
