import t from 'tap'
import {
  latencyOf,
  lowValue,
  median,
  percentile,
  ratioByRound,
  rotated,
} from '../../bench/measure/stats.ts'

t.test('a percentile is a value that was measured', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  t.equal(percentile(hundred, 0.5), 50)
  t.equal(percentile(hundred, 0.99), 99)
  t.equal(percentile(hundred, 0.999), 100)
  t.equal(percentile(hundred, 1), 100)
  t.equal(percentile(hundred, 0), 1)
  t.equal(percentile([7], 0.2), 7)
  t.ok(Number.isNaN(percentile([], 0.5)))
})

t.test('the median is the middle of what was measured', async (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.equal(median([Number.NaN, 3, 1, 2]), 2)
  t.ok(Number.isNaN(median([])))
})

t.test('an absolute cost is the value that a fifth of the rounds reach', async (t) => {
  t.equal(lowValue([50, 40, 30, 20, 10]), 10)
  t.equal(lowValue([50, 40, 30, 20, 10, 60, 70, 80, 90, 100]), 20)
})

t.test('a ratio is taken within each round, so a slow round changes nothing', async (t) => {
  t.equal(ratioByRound([2, 20, 4], [1, 10, 2]), 2)
  t.equal(ratioByRound([3, 100, 3], [1, 1, 1]), 3)
  t.equal(ratioByRound([2, 2, 9], [1, 1]), 2)
  t.ok(Number.isNaN(ratioByRound([1], [])))
})

t.test('every round begins with another one, and none is left out', async (t) => {
  t.strictSame(rotated(['a', 'b', 'c'], 0), ['a', 'b', 'c'])
  t.strictSame(rotated(['a', 'b', 'c'], 1), ['b', 'c', 'a'])
  t.strictSame(rotated(['a', 'b', 'c'], 5), ['c', 'a', 'b'])
  t.strictSame(rotated([], 3), [])
})

t.test('latencies come out in microseconds', async (t) => {
  const milliseconds = Float64Array.from({ length: 1_000 }, (_, i) => (1_000 - i) / 1_000)
  t.strictSame(latencyOf(milliseconds), { p50: 500, p90: 900, p99: 990, p999: 999, max: 1_000 })
})
