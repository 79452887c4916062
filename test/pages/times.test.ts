import t from 'tap'
import { absoluteTime, relativeTime } from '../../src/pages/times.ts'

const DISTANCES: readonly [number, string][] = [
  [0, 'just now'],
  [0.4, 'just now'],
  [1, 'in 1 second'],
  [-2, '2 seconds ago'],
  [59, 'in 59 seconds'],
  [60, 'in 1 minute'],
  [298, 'in 4 minutes 58 seconds'],
  [-3600, '1 hour ago'],
  [-3661, '1 hour 1 minute ago'],
  [86_400 * 2 + 59, 'in 2 days'],
  [-86_400 * 400, '400 days ago'],
]
for (const [distance, words] of DISTANCES)
  t.test(`${distance} seconds from now is "${words}"`, async (t) => {
    t.equal(relativeTime(1_700_000_000 + distance, 1_700_000_000), words)
  })

t.test('absoluteTime() writes a date in UTC', async (t) => {
  t.equal(absoluteTime(1_767_323_045), '2026-01-02 03:04:05 UTC')
  t.equal(absoluteTime(1_767_323_045.9), '2026-01-02 03:04:05 UTC')
  t.equal(absoluteTime(0), '1970-01-01 00:00:00 UTC')
})

t.test('a number that is no date has no text, and nothing is thrown', async (t) => {
  for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e12 + 1, -8.64e12 - 1])
    t.equal(absoluteTime(seconds), undefined, String(seconds))
  t.type(absoluteTime(8.64e12), 'string')
  t.type(absoluteTime(-8.64e12), 'string')
})
