import t from 'tap'
import { compareClocks } from '../../src/doctor/clock.ts'

const NOW = Date.UTC(2027, 0, 15, 8)

const compare = (offset: number, date: string | undefined = new Date(NOW).toUTCString()) =>
  compareClocks({
    date,
    before: NOW + 500 + offset - 100,
    after: NOW + 500 + offset + 100,
    clockSkew: 60_000,
  })

t.test('warns beyond 5 s, and beyond clock_skew it is an error', async (t) => {
  for (const [offset, severity] of [
    [0, 'ok'],
    [5_000, 'ok'],
    [5_001, 'warning'],
    [-5_001, 'warning'],
    [60_000, 'warning'],
    [60_001, 'error'],
    [-60_001, 'error'],
  ] as const)
    t.equal(compare(offset).severity, severity, `${offset} ms`)
})

t.test('says on which side of this clock the other is', async (t) => {
  t.match(compare(30_000).message, "the key set's clock is 30 s behind this one")
  t.match(compare(-30_000).message, "the key set's clock is 30 s ahead of this one")
})

t.test('without a date nothing is known', async (t) => {
  t.equal(compare(0, '').severity, 'warning')
  t.equal(compare(0, 'soon').severity, 'warning')
})
