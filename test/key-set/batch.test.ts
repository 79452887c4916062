import t from 'tap'
import { createBatch } from '../../src/key-set/batch.ts'

/** A batch whose `defer` is run by hand. */
function byHand() {
  const deferred: (() => void)[] = []
  const inBatch = createBatch((run) => deferred.push(run))
  const run = () => {
    for (const go of deferred.splice(0)) go()
  }
  return { inBatch, deferred, run }
}

t.test(
  'checks of one turn run in one go, in their order, before anybody hears of one',
  async (t) => {
    const { inBatch, deferred, run } = byHand()
    const seen: string[] = []
    const ask = async (name: string, outcome: boolean) => {
      const heard = await inBatch(() => {
        seen.push(`checked ${name}`)
        return outcome
      })
      seen.push(`${name} is ${heard}`)
    }
    const all = [ask('a', true), ask('b', false), ask('c', true)]
    t.equal(deferred.length, 1)
    t.same(seen, [], 'nothing is checked before its time')
    run()
    await Promise.all(all)
    const checked = ['checked a', 'checked b', 'checked c']
    t.same(seen, [...checked, 'a is true', 'b is false', 'c is true'])
  },
)

t.test('a check that throws is a no, and ends no other', async (t) => {
  const { inBatch, run } = byHand()
  const broken = inBatch(() => {
    throw new Error('no sense')
  })
  const good = inBatch(() => true)
  run()
  t.same([await broken, await good], [false, true])
})

t.test('nothing but true is a yes', async (t) => {
  const { inBatch, run } = byHand()
  const outcome = inBatch(() => 1 as unknown as boolean)
  run()
  t.equal(await outcome, false)
})

t.test('what comes while a batch runs, or after it, gets the next one', async (t) => {
  const { inBatch, deferred, run } = byHand()
  const later: Promise<boolean>[] = []
  const first = inBatch(() => {
    later.push(inBatch(() => true))
    return true
  })
  run()
  t.equal(await first, true)
  t.equal(deferred.length, 1)
  run()
  t.same(await Promise.all(later), [true])
  const last = inBatch(() => false)
  t.equal(deferred.length, 1)
  run()
  t.equal(await last, false)
})
