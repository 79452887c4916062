import fc from 'fast-check'
import t from 'tap'
import { foldName } from '../../src/identity/fold.ts'
import { createShapes } from '../../src/identity/shapes.ts'

const mayBe = createShapes(['host', 'x-remote-user', 'zone'])

t.test('a name of another length or with another first letter is settled', async (t) => {
  for (const name of ['Hosts', 'hos', 'Cost', 'Accept', 'X-Remote-Users', 'Y-Remote-User', 'done'])
    t.equal(mayBe(name), false, name)
})

t.test('a name that may be one of them in any case or spelling is not settled', async (t) => {
  for (const name of ['host', 'HOST', 'hOST', 'X-Remote-User', 'x_remote.user', 'Zone'])
    t.equal(mayBe(name), true, name)
})

t.test('what begins with no letter, and what is very long, is never settled', async (t) => {
  for (const name of [
    '',
    '_ost',
    '0ost',
    '{one',
    '`ost',
    '@ost',
    '[one',
    'é',
    `c${'h'.repeat(63)}`,
  ])
    t.equal(mayBe(name), true, name)
  // The longest that is.
  t.equal(mayBe('c'.repeat(63)), false)
})

t.test('no name is settled that folds to one of them', async (t) => {
  const letters = [...'aAhHzZxX-_.09{`@é']
  const name = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 70 })
  const begins = (text: string) => /^[a-z]/.test(text)
  fc.assert(
    fc.property(name, fc.array(name), (one, others) => {
      const folded = [one, ...others].map(foldName).filter(begins)
      return !folded.includes(foldName(one)) || createShapes(folded)(one)
    }),
    { numRuns: 2000 },
  )
  t.pass('for 2000 sets')
})
