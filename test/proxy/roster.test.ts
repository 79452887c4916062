import fc from 'fast-check'
import t from 'tap'
import { createRoster } from '../../src/proxy/roster.ts'
import { collectAll, oldBytes } from '../helpers/heap.ts'

t.test('holds who was entered and was not struck off, whatever the order', async (t) => {
  const steps = fc.array(fc.record({ enters: fc.boolean(), which: fc.nat(50) }), { maxLength: 200 })
  fc.assert(
    fc.property(steps, (all) => {
      const roster = createRoster<number>()
      const model = new Map<number, () => void>()
      for (const [name, { enters, which }] of all.entries()) {
        const [leaving, leave] = [...model][which] ?? []
        if (enters || leaving === undefined || leave === undefined) {
          model.set(name, roster.add(name))
          continue
        }
        leave()
        model.delete(leaving)
      }
      const here = [...roster].sort((a, b) => a - b)
      return roster.size === model.size && String(here) === String([...model.keys()])
    }),
  )
  t.pass()
})

t.test('the same item may be entered twice and leaves once for each', async (t) => {
  const roster = createRoster<string>()
  const leave = roster.add('a')
  roster.add('a')
  leave()
  t.same([...roster], ['a'])
})

t.test('to be struck off again strikes nobody else', async (t) => {
  const roster = createRoster<string>()
  const leave = roster.add('a')
  leave()
  roster.add('b')
  leave()
  t.same([...roster], ['b'])
})

t.test('who takes the place of another can leave it', async (t) => {
  const roster = createRoster<string>()
  const [leaveA, , leaveC] = ['a', 'b', 'c'].map((name) => roster.add(name))
  leaveA?.()
  leaveC?.()
  t.same([...roster], ['b'])
})

t.test(
  'a walk meets all who were there at its beginning, though some leave on the way',
  async (t) => {
    const roster = createRoster<string>()
    const leaving = ['a', 'b', 'c'].map((name) => roster.add(name))
    const met: string[] = []
    for (const name of roster) {
      met.push(name)
      leaving[0]?.()
    }
    t.same(met, ['a', 'b', 'c'])
    t.equal(roster.size, 2)
  },
)

t.test('who has left does not grow old', async (t) => {
  const roster = createRoster<readonly number[]>()
  // Some stay all the time, as a server always has some under way.
  const here = Array.from({ length: 32 }, () => roster.add([]))
  collectAll()
  const before = oldBytes()
  let most = 0
  for (let i = 0; i < 10_000; i++) {
    const leave = here[i % 32]
    here[i % 32] = roster.add(new Array<number>(1_000).fill(i))
    leave?.()
    if (i % 100 === 0) most = Math.max(most, oldBytes() - before)
  }
  // 80 MB went through; of a Set, 50 grow old.
  t.ok(most < 1_000_000, `${most} bytes`)
})
