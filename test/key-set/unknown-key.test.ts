import t from 'tap'
import { settle } from '../helpers/fake-clock.ts'
import { createScripted, failed, held, setOf } from './scripted.ts'

t.test('an unknown key is there after one forced refresh', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(1_000)
  answer(setOf('a', 'b'))
  await keySet.refreshForUnknownKey('b')
  t.equal(keySet.find('ES256', 'b')?.length, 1)
  t.equal(fetches.length, 2)
  t.same(clock.pending(), [60_000], 'the next scheduled refresh counts from here')
})

t.test('many callers with many unknown keys share one refresh', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  const load = held()
  answer(load.answer)
  const waiting = Promise.all(
    Array.from({ length: 10_000 }, (_, index) => keySet.refreshForUnknownKey(`x${index}`)),
  )
  load.give(setOf('a', 'x7'))
  await waiting
  t.equal(fetches.length, 2)
  t.equal(keySet.find('ES256', 'x7')?.length, 1)
})

t.test('a caller that comes while a forced refresh is under way waits for it', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  const load = held()
  answer(load.answer)
  const first = keySet.refreshForUnknownKey('b')
  let isBack = false
  const second = keySet.refreshForUnknownKey('b').then(() => {
    isBack = true
  })
  await settle()
  t.equal(isBack, false)
  load.give(setOf('b'))
  await Promise.all([first, second])
  t.equal(fetches.length, 2)
})

t.test('within the cooldown the answer comes at once, without a fetch', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  await keySet.refreshForUnknownKey('x')
  t.equal(fetches.length, 2)
  await clock.advance(9_999)
  await keySet.refreshForUnknownKey('y')
  await keySet.refreshForUnknownKey(undefined)
  t.equal(fetches.length, 2)
  await clock.advance(1)
  await keySet.refreshForUnknownKey('y')
  t.equal(fetches.length, 3)
})

t.test('a forced refresh that failed counts for the cooldown too', async (t) => {
  const { keySet, clock, answer, fetches, kids } = createScripted(t, { cooldown: 500 })
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  answer(failed('refused'))
  await keySet.refreshForUnknownKey('x')
  await keySet.refreshForUnknownKey('x')
  t.equal(fetches.length, 2)
  t.same(kids(), ['a'])
  t.same(clock.pending(), [1_000], 'the back-off has begun')
})

t.test('a flood of unknown keys costs three fetches a minute and nothing else', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer({ kind: 'set', text: 'a', etag: undefined, maxAge: 60_000 })
  keySet.start()
  await clock.advance(0)
  const perMinute: number[] = []
  for (let minute = 0; minute < 5; minute += 1) {
    const before = fetches.length
    for (let step = 0; step < 600; step += 1)
      await Promise.all([keySet.refreshForUnknownKey(`x${minute}-${step}`), clock.advance(100)])
    perMinute.push(fetches.length - before)
  }
  t.same(perMinute, [3, 2, 2, 2, 2])
})

t.test('each forced refresh that brings nothing doubles the cooldown, up to 30 s', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  await keySet.refreshForUnknownKey('x')
  for (const wait of [10_000, 20_000, 30_000, 30_000]) {
    const before = fetches.length
    await clock.advance(wait - 1)
    await keySet.refreshForUnknownKey('x')
    t.equal(fetches.length, before, `not before ${wait} ms`)
    await clock.advance(1)
    await keySet.refreshForUnknownKey('x')
    t.equal(fetches.length, before + 1, `at ${wait} ms`)
  }
})

t.test('a forced refresh that brings the key ends the doubling', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  await keySet.refreshForUnknownKey('x')
  await clock.advance(10_000)
  await keySet.refreshForUnknownKey('x')
  await clock.advance(20_000)
  answer(setOf('b'))
  await keySet.refreshForUnknownKey('b')
  for (const wait of [10_000, 10_000, 20_000]) {
    const before = fetches.length
    await clock.advance(wait)
    await keySet.refreshForUnknownKey('x')
    t.equal(fetches.length, before + 1, `after ${wait} ms`)
  }
})

t.test('a cooldown of more than 30 s is kept as it is', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t, { cooldown: 50_000 })
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  for (let i = 0; i < 3; i += 1) {
    const before = fetches.length
    await keySet.refreshForUnknownKey('x')
    t.equal(fetches.length, before + 1)
    await clock.advance(50_000)
  }
})

t.test(
  'a scheduled refresh does not use up the cooldown: the rotation right after it is seen',
  async (t) => {
    const { keySet, clock, answer, fetches } = createScripted(t)
    answer(setOf('a'))
    keySet.start()
    await clock.advance(60_000)
    t.equal(fetches.length, 2)
    answer(setOf('b'))
    await keySet.refreshForUnknownKey('b')
    t.equal(keySet.find('ES256', 'b')?.length, 1)
  },
)

t.test(
  'a scheduled refresh under way is waited for, and enough when it brings the key',
  async (t) => {
    const { keySet, clock, answer, fetches } = createScripted(t)
    answer(setOf('a'))
    keySet.start()
    await clock.advance(0)
    const load = held()
    answer(load.answer)
    await clock.advance(60_000)
    const waiting = keySet.refreshForUnknownKey('b')
    load.give(setOf('b'))
    await waiting
    t.equal(fetches.length, 2)
    t.equal(keySet.find('ES256', 'b')?.length, 1)
  },
)

t.test(
  'a scheduled refresh answered before the rotation is followed by one forced refresh',
  async (t) => {
    const { keySet, clock, answer, fetches } = createScripted(t)
    answer(setOf('a'))
    keySet.start()
    await clock.advance(0)
    const load = held()
    answer(load.answer)
    await clock.advance(60_000)
    const waiting = Promise.all([
      keySet.refreshForUnknownKey('b'),
      keySet.refreshForUnknownKey('b'),
    ])
    answer(setOf('b'))
    load.give(setOf('a'))
    await waiting
    t.equal(fetches.length, 3)
    t.equal(keySet.find('ES256', 'b')?.length, 1)
  },
)

t.test('a scheduled refresh that fails is not followed by a forced one', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  const load = held()
  answer(load.answer)
  await clock.advance(60_000)
  const waiting = keySet.refreshForUnknownKey('b')
  load.give(failed('refused'))
  await waiting
  t.equal(fetches.length, 2)
})

t.test('while there is no usable set an unknown key neither waits nor fetches', async (t) => {
  const { keySet, clock, fetches } = createScripted(t)
  keySet.start()
  await clock.advance(0)
  await keySet.refreshForUnknownKey('a')
  t.equal(fetches.length, 1)
})
