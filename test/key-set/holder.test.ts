import t from 'tap'
import { createHolder } from '../../src/key-set/holder.ts'
import type { VerificationKey } from '../../src/key-set/types.ts'

function keyOf(kid: string | undefined, alg = 'ES256'): VerificationKey {
  return { kid, alg, key: {} } as unknown as VerificationKey
}

function holding(...keys: readonly VerificationKey[]) {
  const holder = createHolder(() => 0, 1_000)
  holder.replace({ keys, text: '', etag: undefined })
  return holder
}

t.test('finds by algorithm and name', async (t) => {
  const [a, b, other] = [keyOf('a'), keyOf('b'), keyOf('a', 'RS256')]
  const { find } = holding(a, b, other)
  t.same(find('ES256', 'a'), [a])
  t.equal(find('ES256', 'a')?.[0], a)
  t.same(find('RS256', 'a'), [other])
  t.same(find('RS256', 'b'), [])
  t.same(find('ES384', 'a'), [])
  t.same(find('ES256', 'A'), [])
})

t.test('without a name every key that fits the algorithm is found', async (t) => {
  const [a, b] = [keyOf('a'), keyOf('b')]
  t.same(holding(a, keyOf('a', 'RS256'), b).find('ES256', undefined), [a, b])
})

t.test('two keys of one name are both found', async (t) => {
  t.equal(holding(keyOf('a'), keyOf('a')).find('ES256', 'a')?.length, 2)
})

t.test('a key without a name is found by any name that no other key bears', async (t) => {
  const [named, nameless] = [keyOf('a'), keyOf(undefined)]
  const { find } = holding(named, nameless)
  t.equal(find('ES256', 'a')?.[0], named)
  t.equal(find('ES256', 'a')?.length, 1)
  t.equal(find('ES256', 'x')?.[0], nameless)
})

t.test('an empty name is a name', async (t) => {
  const { find } = holding(keyOf(''), keyOf('a'))
  t.same(
    find('ES256', '')?.map(({ kid }) => kid),
    [''],
  )
})

for (const name of ['__proto__', 'constructor', 'toString']) {
  t.test(`${name} is a name like any other`, async (t) => {
    t.same(holding(keyOf('a')).find('ES256', name), [])
    t.same(holding(keyOf('a')).find(name, 'a'), [])
    t.equal(holding(keyOf(name)).find('ES256', name)?.length, 1)
  })
}
