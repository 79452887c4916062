import fc from 'fast-check'
import t from 'tap'
import { type RefreshRules, refreshDelay, retryDelay } from '../../src/key-set/schedule.ts'
import { HOUR, RULES } from './scripted.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

for (const [maxAge, delay] of [
  [undefined, 60_000],
  [0, 10_000],
  [9_999, 10_000],
  [60_000, 60_000],
  [HOUR, HOUR],
  [9_999_999_999_000, HOUR],
] as const) {
  t.test(`max-age ${maxAge} ms gives a period of ${delay} ms`, async (t) => {
    t.equal(refreshDelay(RULES, maxAge, 0), delay)
    t.equal(refreshDelay(RULES, maxAge, 0.5), delay * 0.95, 'a little sooner by chance')
  })
}

t.test('the period of the setting stays within 1 s and 24 h', async (t) => {
  t.equal(refreshDelay({ ...RULES, refresh: 0 }, undefined, 0), 1_000)
  t.equal(refreshDelay({ ...RULES, refresh: 12 * HOUR }, undefined, 0), 12 * HOUR)
  t.equal(refreshDelay({ ...RULES, refresh: 1_000 * HOUR }, undefined, 0), 24 * HOUR)
})

t.test(
  'whatever the settings, the answer and chance: no busy loop, and within the limits',
  async () => {
    const rules: fc.Arbitrary<RefreshRules> = fc.record({
      refresh: fc.nat(),
      cooldown: fc.nat(),
      retryLimit: fc.constant(RULES.retryLimit),
    })
    const failed = fc.record({
      failures: fc.integer({ min: 1, max: 1e9 }),
      retryAfter: fc.option(fc.nat(), { nil: undefined }),
      usableFor: fc.nat(),
    })
    fc.assert(
      fc.property(rules, failed, fc.option(fc.nat(), { nil: undefined }), chance, (...drawn) => {
        const [rules, failed, maxAge, random] = drawn
        const refresh = refreshDelay(rules, maxAge, random)
        const retry = retryDelay(rules, failed, random)
        const limit = failed.usableFor > 0 ? 45_000 : 8_000
        return refresh >= 900 && refresh <= 24 * HOUR && retry >= 750 && retry <= limit
      }),
    )
  },
)

t.test('the last try before keys lapse comes at that instant', async (t) => {
  const failed = { failures: 20, retryAfter: undefined }
  t.equal(retryDelay(RULES, { ...failed, usableFor: HOUR }, 0), 45_000)
  t.equal(retryDelay(RULES, { ...failed, usableFor: 7_000 }, 0), 7_000)
  t.equal(retryDelay(RULES, { ...failed, usableFor: 5 }, 0), 1_000)
  t.equal(retryDelay(RULES, { ...failed, usableFor: 0 }, 0), 8_000)
})
