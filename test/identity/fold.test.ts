import fc from 'fast-check'
import t from 'tap'
import { foldName } from '../../src/identity/fold.ts'

const spellings = [
  'X-Pomerium-Claim-Email',
  'x-pomerium-claim-email',
  'X_Pomerium_Claim_Email',
  'x.pomerium.claim.email',
  'X~Pomerium!Claim$Email',
  'X\u00e9Pomerium Claim\tEmail',
]
for (const name of spellings) {
  t.test(`foldName() folds ${JSON.stringify(name)}`, async (t) => {
    t.equal(foldName(name), 'x-pomerium-claim-email')
  })
}

t.test('foldName() keeps other names apart', async (t) => {
  t.equal(foldName('X--Pomerium'), 'x--pomerium')
  t.equal(foldName('X0Pomerium'), 'x0pomerium')
  t.equal(foldName(''), '')
  // The Kelvin sign is no ASCII letter, whatever its lower case is.
  t.equal(foldName('\u212aey'), '-ey')
})

t.test(
  'foldName() gives lower-case letters, digits and dashes, as many as the name is long',
  async (t) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const folded = foldName(name)
        return (
          /^[a-z0-9-]*$/.test(folded) &&
          folded.length === name.length &&
          foldName(folded) === folded
        )
      }),
      { numRuns: 2000 },
    )
    t.pass('for 2000 names')
  },
)
