import t from 'tap'
import { runPart } from './campaign.ts'
import { drive, type Finding, MAX_FINDINGS } from './drive.ts'
import type { Fuzzer, Late } from './fuzzer.ts'
import type { Random } from './random.ts'
import { createRandom } from './random.ts'
import { settings } from './settings.ts'

/** A fuzzer that does `run` for each case and notes which came. */
function sample(
  run: (random: Random, index: number) => string | undefined,
  late: readonly Late[] = [],
) {
  const seen: number[] = []
  let closed = 0
  const fuzzer: Fuzzer = {
    name: 'sample',
    unit: 'cases',
    lanes: 3,
    round: 10,
    open: async () => ({
      tally: new Map(),
      run: async (random, index) => {
        seen.push(index)
        return run(random, index)
      },
      settle: async () => late,
      close: async () => {
        closed++
      },
    }),
  }
  return { fuzzer, seen, closed: () => closed }
}

t.test(
  'the same seed, fuzzer and case give the same draws, and any other give others',
  async (t) => {
    const draws = (seed: number, campaign: string, index: number) => {
      const random = createRandom(seed, campaign, index)
      return [random.int(1e9), random.text(8, 'abcdef'), random.bytes(8).toString('hex')].join()
    }
    t.equal(draws(1, 'a', 2), draws(1, 'a', 2))
    const others = [
      draws(1, 'a', 2),
      draws(2, 'a', 2),
      draws(1, 'b', 2),
      draws(1, 'a', 3),
      draws(1, 'a', 2 ** 40),
    ]
    t.equal(new Set(others).size, others.length)
  },
)

t.test('draws stay in their range and reach all of it', async (t) => {
  const random = createRandom(1, 'range', 0)
  const counts = [0, 0, 0, 0, 0]
  for (let i = 0; i < 5_000; i++) counts[random.int(5)]! += 1
  t.ok(
    counts.every((times) => times > 850 && times < 1_150),
    counts.join(),
  )
  t.equal(random.int(0), 0)
  const rows = [
    [3, 'a'],
    [1, 'b'],
    [0, 'never'],
  ] as const
  const drawn = Array.from({ length: 4_000 }, () => random.weighted<string>(rows))
  t.ok(Math.abs(drawn.filter((row) => row === 'a').length - 3_000) < 150)
  t.notOk(drawn.includes('never'))
  t.throws(() => random.weighted([]), /No row/)
})

t.test('processes that share a campaign run each case once', async (t) => {
  const seen = await Promise.all(
    [0, 1, 2].map(async (first) => {
      const { fuzzer, seen } = sample(() => undefined)
      await drive(fuzzer, { seed: 1, first, step: 3, limit: 20 })
      return seen
    }),
  )
  t.same(
    seen.flat().toSorted((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i),
  )
})

t.test(
  'a case that fails or throws is a finding, and so is what shows only afterwards',
  async (t) => {
    const run = (_: Random, index: number) => {
      if (index === 3) throw new TypeError('broken')
      return index === 5 ? 'wrong' : undefined
    }
    const { fuzzer, closed } = sample(run, [{ index: 7, what: 'late' }])
    const reported: Finding[] = []
    const { findings, wrong, cases } = await drive(fuzzer, {
      seed: 9,
      limit: 10,
      onFinding: (finding) => reported.push(finding),
    })
    t.equal(cases, 10)
    t.equal(wrong, 3)
    t.same(findings, reported)
    t.match(findings, [
      { fuzzer: 'sample', seed: 9, index: 3, what: /^threw TypeError: broken/ },
      { index: 5, what: 'wrong' },
      { index: 7, what: 'late' },
    ])
    t.equal(closed(), 1)
  },
)

t.test('findings beyond the first are counted, not kept', async (t) => {
  const { fuzzer } = sample(() => 'wrong')
  const { findings, wrong } = await drive(fuzzer, { seed: 1, limit: 100 })
  t.equal(findings.length, MAX_FINDINGS)
  t.equal(wrong, 100)
})

t.test('a campaign ends when its time is over', async (t) => {
  const { fuzzer, seen } = sample(() => undefined)
  await drive(fuzzer, { seed: 1, until: performance.now() + 30 })
  t.ok(seen.length > 10)
})

t.test('a part in two processes adds up what they did', async (t) => {
  const findings: Finding[] = []
  const part = { seed: 1, seconds: 0.5, jobs: 2, only: undefined }
  const result = await runPart(settings(), { ...part, onFinding: (each) => findings.push(each) })
  t.same(findings, [])
  t.match(result, { wrong: 0, crashes: 0 })
  t.ok(result.cases >= 1_000, `${result.cases} cases`)
  t.equal(
    [...result.tally.values()].reduce((sum, times) => sum + times),
    result.cases,
  )
})

t.test('a process that ends before it has reported is a crash', async (t) => {
  const { fuzzer } = sample(() => undefined)
  const findings: Finding[] = []
  const part = { seed: 1, seconds: 0.1, jobs: 1, only: undefined }
  // The worker knows no fuzzer of this name.
  const result = await runPart(fuzzer, { ...part, onFinding: (each) => findings.push(each) })
  t.match(result, { cases: 0, crashes: 1 })
  t.match(findings, [{ fuzzer: 'sample', what: /^the process ended with 1/ }])
})
