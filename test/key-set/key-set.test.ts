import t from 'tap'
import { settle } from '../helpers/fake-clock.ts'
import { createScripted, failed, HOUR, held, setOf } from './scripted.ts'

t.test('loads at start, and until then nothing can be decided and nobody waits', async (t) => {
  const { keySet, clock, answer, kids } = createScripted(t)
  const load = held()
  answer(load.answer)
  t.equal(kids(), undefined)
  t.same(keySet.status(), {
    usable: false,
    keys: 0,
    age: undefined,
    reason: 'the key set is still loading',
  })
  keySet.start()
  await keySet.refreshForUnknownKey('a')
  t.equal(kids(), undefined)
  load.give(setOf('a', 'b'))
  await clock.advance(250)
  t.same(kids(), ['a', 'b'])
  t.same(keySet.status(), { usable: true, keys: 2, age: 250, reason: undefined })
})

t.test('refreshes by the max-age of the answer, else by the setting', async (t) => {
  const { keySet, clock, answer, fetches, outcomes } = createScripted(t)
  answer({ kind: 'set', text: 'a', etag: '"1"', maxAge: 30_000 })
  keySet.start()
  await clock.advance(29_999)
  t.equal(fetches.length, 1)
  answer({ kind: 'not-modified', maxAge: undefined })
  await clock.advance(1)
  t.equal(fetches.length, 2)
  t.equal(fetches[1]?.etag, '"1"')
  t.same(keySet.status().age, 0, 'a confirmed set is fresh')
  await clock.advance(59_999)
  t.equal(fetches.length, 2)
  await clock.advance(1)
  t.equal(fetches.length, 3)
  t.same(outcomes, ['ok', 'not_modified', 'not_modified'])
})

t.test('a new set takes the place of the old one as a whole', async (t) => {
  const { keySet, clock, answer, kids } = createScripted(t)
  answer(setOf('a', 'b'))
  keySet.start()
  await clock.advance(0)
  answer(setOf('b', 'c'))
  await clock.advance(60_000)
  t.same(kids(), ['b', 'c'])
  t.same(keySet.find('ES256', 'a'), [])
})

t.test('without a set it tries again after about 1, 2, 4 and then every 8 seconds', async (t) => {
  const { keySet, clock, fetches } = createScripted(t)
  keySet.start()
  await clock.advance(31_000)
  t.same(
    fetches.map(({ at }) => at),
    [0, 1_000, 3_000, 7_000, 15_000, 23_000, 31_000],
  )
})

t.test('after a success the waits between tries begin anew', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  keySet.start()
  await clock.advance(HOUR)
  answer(setOf('a'))
  await clock.advance(8_000)
  answer(failed('refused'))
  await clock.advance(59_000)
  const failedAt = fetches.at(-1)?.at ?? 0
  await clock.advance(3_000)
  t.same(
    fetches.slice(-2).map(({ at }) => at - failedAt),
    [1_000, 3_000],
  )
})

t.test('a set that comes up is in use within 8 seconds, whatever came before', async (t) => {
  const { keySet, clock, answer, kids } = createScripted(t)
  keySet.start()
  await clock.advance(HOUR)
  answer(setOf('a'))
  await clock.advance(8_000)
  t.same(kids(), ['a'])
})

for (const random of [0, 0.999]) {
  t.test(`in the first minute of an outage it tries 2 to 20 times (draw ${random})`, async (t) => {
    const { keySet, clock, fetches } = createScripted(t, {}, random)
    keySet.start()
    await clock.advance(60_000)
    t.ok(fetches.length >= 2 && fetches.length <= 20, `${fetches.length} fetches`)
  })

  t.test(
    `an outage of an hour with good keys: all serve, at most 130 tries (${random})`,
    async (t) => {
      const { keySet, clock, answer, fetches, kids } = createScripted(t, {}, random)
      answer(setOf('a'))
      keySet.start()
      await clock.advance(1_000)
      answer(failed('refused'))
      await clock.advance(HOUR)
      t.same(kids(), ['a'])
      t.ok(fetches.length > 60 && fetches.length <= 130, `${fetches.length} fetches`)
      t.equal(keySet.status().usable, true)
    },
  )
}

t.test('Retry-After puts the next try off, up to the limit of the back-off', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer(failed('status 429', 5_000))
  keySet.start()
  await clock.advance(4_999)
  t.equal(fetches.length, 1)
  await clock.advance(1)
  t.equal(fetches.length, 2)
  answer(failed('status 429', 24 * HOUR))
  await clock.advance(5_000)
  t.equal(fetches.length, 3)
  await clock.advance(8_000)
  t.equal(fetches.length, 4)
})

t.test('keys serve until max_stale after the last success and not a moment longer', async (t) => {
  const { keySet, clock, answer, kids, log } = createScripted(t, { maxStale: 600_000 })
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  answer(failed('refused'))
  await clock.advance(599_999)
  t.same(kids(), ['a'])
  await clock.advance(1)
  t.equal(kids(), undefined)
  t.match(keySet.status(), {
    usable: false,
    keys: 0,
    reason: 'the last good key set is too old to be used: refused',
  })
  t.same(
    log.lines.filter(({ level }) => level === 'error'),
    [
      {
        level: 'error',
        fields: { reason: 'host.example: refused' },
        message: 'key set is too old to be used',
      },
    ],
  )
  answer(setOf('a'))
  await clock.advance(8_000)
  t.same(kids(), ['a'])
})

for (const maxStale of [0, 30_000]) {
  t.test(`with max_stale ${maxStale} keys serve until the first failure, not less`, async (t) => {
    const { keySet, clock, answer, kids, log } = createScripted(t, { maxStale })
    answer(setOf('a'))
    keySet.start()
    for (let seconds = 5; seconds <= 120; seconds += 5) {
      await clock.advance(5_000)
      t.same(kids(), ['a'], `after ${seconds} s`)
    }
    answer(failed('refused'))
    await clock.advance(60_000)
    t.equal(kids(), undefined)
    t.same(
      log.lines.map(({ message }) => message),
      ['key set loaded', 'key set is too old to be used'],
    )
    answer(setOf('a'))
    await clock.advance(8_000)
    t.same(kids(), ['a'])
  })
}

t.test('never more than one fetch at a time', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  const load = held()
  answer(load.answer)
  keySet.start()
  keySet.start()
  await clock.advance(HOUR)
  t.equal(fetches.length, 1)
  t.same(clock.pending(), [])
})

t.test('close ends the timers and the fetch, and a late answer changes nothing', async (t) => {
  const { keySet, clock, answer, fetches, kids, log, outcomes } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  const load = held()
  answer(load.answer)
  await clock.advance(60_000)
  const waiting = keySet.refreshForUnknownKey('b')
  keySet.close()
  t.equal(fetches[1]?.signal.aborted, true)
  load.give(setOf('b'))
  await waiting
  await settle()
  t.same(kids(), ['a'])
  t.same(clock.pending(), [])
  t.same(outcomes, ['ok'])
  t.equal(log.lines.length, 1)
  keySet.start()
  await keySet.refreshForUnknownKey('b')
  t.equal(fetches.length, 2)
})

t.test('close between two fetches leaves no timer', async (t) => {
  const { keySet, clock, answer } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(0)
  t.same(clock.pending(), [60_000])
  keySet.close()
  t.same(clock.pending(), [])
})

t.test('a fetch that throws is a failure like any other', async (t) => {
  const { keySet, clock, answer, kids, outcomes, log } = createScripted(t)
  answer(async () => {
    throw new Error('a secret of the answer')
  })
  keySet.start()
  await clock.advance(1_000)
  t.same(outcomes, ['error', 'error'])
  t.notMatch(JSON.stringify([log.lines, keySet.status()]), /secret/)
  answer(setOf('a'))
  await clock.advance(2_000)
  t.same(kids(), ['a'])
})
