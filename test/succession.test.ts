import t from 'tap'
import type { OwnedGeneration } from '../src/generation.ts'
import { createSuccession } from '../src/succession.ts'
import { until } from './helpers/program.ts'

interface Keys {
  usable: boolean
  starts: number
}

/** A generation of which only its key set and its end are looked at. */
function generation(name: string, keySet = keys(true)) {
  const retired: (string | undefined)[] = []
  const owned = {
    name,
    keySet,
    retire: (successor: { name?: string } | undefined) => void retired.push(successor?.name),
  }
  return { owned: owned as unknown as OwnedGeneration, keySet, retired }
}

function keys(usable: boolean) {
  const state: Keys = { usable, starts: 0 }
  return Object.assign(state, {
    status: () => ({ usable: state.usable }),
    start: () => void state.starts++,
  })
}

function setUp(first = generation('first')) {
  const succession = createSuccession(first.owned, 5)
  const used: string[] = []
  const take = ({ owned }: ReturnType<typeof generation>, name: string) =>
    succession.take(owned, () => void used.push(name))
  return { first, succession, used, take }
}

t.test('with the same key set the next one is in use at once', async (t) => {
  const { first, succession, used, take } = setUp()
  const next = generation('next', first.keySet)
  take(next, 'next')
  t.equal(succession.current(), next.owned)
  t.strictSame(used, ['next'])
  t.strictSame(first.retired, ['next'])
  t.equal(first.keySet.starts, 0)
})

t.test('another key set is loaded before it is in use', async (t) => {
  const { first, succession, used, take } = setUp()
  const next = generation('next', keys(false))
  take(next, 'next')
  t.equal(next.keySet.starts, 1)
  t.equal(succession.current(), first.owned)
  t.ok(succession.isWaiting())
  t.strictSame(first.retired, [])
  next.keySet.usable = true
  await until(() => succession.current() === next.owned, 'in use')
  t.notOk(succession.isWaiting())
  t.strictSame(used, ['next'])
  t.strictSame(first.retired, ['next'])
})

t.test('where there are no keys now, nothing is waited for', async (t) => {
  const { succession, take } = setUp(generation('first', keys(false)))
  const next = generation('next', keys(false))
  take(next, 'next')
  t.equal(succession.current(), next.owned)
})

t.test('one that waits is given up for a newer one', async (t) => {
  const { first, succession, used, take } = setUp()
  const [second, third] = [generation('second', keys(false)), generation('third', first.keySet)]
  take(second, 'second')
  take(third, 'third')
  t.strictSame(second.retired, ['first'])
  t.equal(succession.current(), third.owned)
  second.keySet.usable = true
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame(used, ['third'])
})

t.test('at its end what waits and what is in use are closed', async (t) => {
  const { first, succession, take } = setUp()
  const next = generation('next', keys(false))
  take(next, 'next')
  succession.close()
  t.strictSame(next.retired, ['first'])
  t.strictSame(first.retired, [undefined])
  next.keySet.usable = true
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(succession.current(), first.owned)
})
