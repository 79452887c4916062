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

for (const [name, answer] of [
  ['an empty set', setOf('')],
  ['garbage', setOf('garbage')],
  ['a failure', failed('status 502')],
] as const) {
  t.test(`${name} after good keys leaves them in use and counts as an error`, async (t) => {
    const scripted = createScripted(t)
    const { keySet, clock, kids, outcomes, log } = scripted
    scripted.answer(setOf('a'))
    keySet.start()
    await clock.advance(0)
    scripted.answer(answer)
    await clock.advance(300_000)
    t.same(kids(), ['a'])
    t.ok(outcomes.length > 3)
    t.ok(outcomes.slice(1).every((outcome) => outcome === 'error'))
    t.equal(log.lines.length, 2, 'told once')
    t.match(log.lines[1], {
      level: 'warn',
      message: 'key set not refreshed, the last good keys stay in use',
    })
  })

  t.test(`${name} at start is not usable, is told once, and is got over`, async (t) => {
    const scripted = createScripted(t)
    const { keySet, clock, kids, log } = scripted
    scripted.answer(answer)
    keySet.start()
    await clock.advance(60_000)
    t.equal(kids(), undefined)
    t.match(keySet.status().reason, /^no key set was loaded: /)
    t.notMatch(keySet.status().reason, /host\.example/)
    t.same(
      log.lines.map(({ level, message }) => [level, message]),
      [['error', 'key set not loaded']],
    )
    scripted.answer(setOf('a'))
    await clock.advance(8_000)
    t.same(kids(), ['a'])
    t.same(
      log.lines.slice(1).map(({ message }) => message),
      ['key set loaded', 'key set loads again'],
    )
  })
}

t.test('an entity tag is sent only for the text in use', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer({ kind: 'set', text: 'garbage', etag: '"bad"', maxAge: undefined })
  keySet.start()
  answer({ kind: 'set', text: 'a', etag: '"good"', maxAge: undefined })
  await clock.advance(1_000)
  answer({ kind: 'set', text: 'garbage', etag: '"bad"', maxAge: undefined })
  await clock.advance(60_000)
  await clock.advance(1_000)
  t.same(
    fetches.map(({ etag }) => etag),
    [undefined, undefined, '"good"', '"good"'],
  )
})

t.test('"not modified" to a first request is a failure', async (t) => {
  const { keySet, clock, answer, kids, outcomes } = createScripted(t)
  answer({ kind: 'not-modified', maxAge: undefined })
  keySet.start()
  await clock.advance(0)
  t.equal(kids(), undefined)
  t.same(outcomes, ['error'])
})

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

t.test('a flood of unknown keys costs one fetch per cooldown and nothing else', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer({ kind: 'set', text: 'a', etag: undefined, maxAge: 60_000 })
  keySet.start()
  await clock.advance(0)
  for (let step = 0; step < 600; step += 1) {
    await Promise.all([keySet.refreshForUnknownKey(`x${step}`), clock.advance(100)])
  }
  t.ok(fetches.length <= 60 / 10 + 1, `${fetches.length} fetches in a minute`)
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

t.test('each new reason of an outage is told once, ten at most', async (t) => {
  const { keySet, clock, answer, log } = createScripted(t)
  let count = 0
  answer(async () => failed(`reason ${count++ % 25}`))
  keySet.start()
  await clock.advance(HOUR)
  t.ok(count > 100)
  t.equal(log.lines.length, 10)
})

t.test(
  'the log names the keys at the first load and when they change, not at every load',
  async (t) => {
    const { keySet, clock, answer, log } = createScripted(t)
    answer(setOf('a'))
    keySet.start()
    await clock.advance(180_000)
    answer(setOf('a', 'k'.repeat(100)))
    await clock.advance(180_000)
    t.same(log.lines, [
      { level: 'info', fields: { keys: 1, kids: ['a'] }, message: 'key set loaded' },
      {
        level: 'info',
        fields: { keys: 2, kids: ['a', 'k'.repeat(64)] },
        message: 'key set changed',
      },
    ])
  },
)

t.test('a second outage is told like the first', async (t) => {
  const { keySet, clock, answer, log } = createScripted(t, { maxStale: 90_000 })
  for (const kid of ['a', 'b']) {
    answer(setOf(kid))
    if (kid === 'a') keySet.start()
    await clock.advance(70_000)
    answer(failed('refused'))
    await clock.advance(300_000)
  }
  const outage = [
    'key set not refreshed, the last good keys stay in use',
    'key set is too old to be used',
  ]
  t.same(
    log.lines.map(({ message }) => message),
    ['key set loaded', ...outage, 'key set changed', 'key set loads again', ...outage],
  )
})
