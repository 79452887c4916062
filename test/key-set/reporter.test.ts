import t from 'tap'
import { createScripted, failed, HOUR, setOf } from './scripted.ts'

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
