import fc from 'fast-check'
import t from 'tap'
import { createGlobs } from '../../src/identity/glob.ts'

const cases: readonly (readonly [readonly string[], string, boolean])[] = [
  [[], 'anything', true],
  [['dev'], 'dev', true],
  [['dev'], 'devs', false],
  [['dev'], 'Dev', false],
  [['dev'], '', false],
  [['a', 'b'], 'b', true],
  [['*'], '', true],
  [['*'], 'x', true],
  [['team-*'], 'team-', true],
  [['team-*'], 'team-a', true],
  [['team-*'], 'a-team-', false],
  [['*-admin'], 'a-admin', true],
  [['*-admin'], 'a-admins', false],
  [['*@example.com'], 'ann@example.com', true],
  [['a*b'], 'ab', true],
  [['a*b'], 'a', false],
  [['aba*aba'], 'aba', false],
  [['aba*aba'], 'abaaba', true],
  [['a*b*c'], 'a-b-b-c', true],
  [['a*b*c'], 'ac', false],
  [['a**c'], 'ac', true],
  [['*a*'], 'bab', true],
  [['*ab*b'], 'ab', false],
  [['*ab*b'], 'abb', true],
  [['a.c'], 'abc', false],
  [['[a]'], 'a', false],
  [['a?'], 'ab', false],
]
for (const [patterns, text, isMatch] of cases) {
  t.test(
    `createGlobs(${JSON.stringify(patterns)}) ${isMatch ? 'matches' : 'leaves'} ${JSON.stringify(text)}`,
    async (t) => {
      t.equal(createGlobs(patterns)(text), isMatch)
    },
  )
}

t.test('createGlobs() agrees with the regular expression of the pattern', async (t) => {
  const text = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength })
  fc.assert(
    fc.property(text(6), text(10), (pattern, candidate) => {
      const source = pattern.split('*').join('[^]*')
      return createGlobs([pattern])(candidate) === new RegExp(`^${source}$`).test(candidate)
    }),
    { numRuns: 5000 },
  )
  t.pass('for 5000 pairs')
})

t.test('createGlobs() takes no longer for a pattern made to', async (t) => {
  const glob = createGlobs([`${'*a'.repeat(500)}b`])
  t.equal(glob('a'.repeat(50_000)), false)
})
