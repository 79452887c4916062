/**
 * Runs the fuzzers of test/fuzz: `npm run fuzz -- [--seconds N] [--seed S] [--only NAME,NAME] [--jobs N] [--case N]`.
 *
 * `--seconds` (60) is for all of them together, `--seed` is drawn when it is not given, `--case` repeats one case of
 * the one fuzzer that `--only` names. Ends with a table, and with 1 when anything was found.
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { FUZZERS, type Planned } from '../test/fuzz/all.ts'
import { type PartResult, runPart } from '../test/fuzz/campaign.ts'
import type { Finding } from '../test/fuzz/drive.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    case: { type: 'string' },
  },
})

async function main(): Promise<void> {
  const seconds = wholeNumber('seconds', values.seconds)
  const seed = wholeNumber('seed', values.seed)
  const jobs = wholeNumber('jobs', values.jobs)
  const only = values.case === undefined ? undefined : wholeNumber('case', values.case)
  const planned = chosen(values.only)
  if (only !== undefined && planned.length !== 1) throw new Error('--case wants --only NAME')
  console.log(`seed ${seed}, ${seconds} s, ${jobs} processes`)
  const shares = planned.reduce((sum, { share }) => sum + share, 0)
  const rows: (readonly [Planned, PartResult])[] = []
  for (const each of planned) {
    const part = { seed, jobs, only, onFinding: print, seconds: (seconds * each.share) / shares }
    const result = await runPart(each.fuzzer, part)
    rows.push([each, result])
    console.log(line(each, result))
  }
  const bad = rows.filter(([, { wrong, crashes }]) => wrong + crashes > 0)
  console.log(bad.length === 0 ? `nothing found with seed ${seed}` : `found with seed ${seed}`)
  process.exitCode = bad.length === 0 ? 0 : 1
}

function chosen(names: string): readonly Planned[] {
  if (names === '') return FUZZERS
  return names.split(',').map((name) => {
    const found = FUZZERS.find(({ fuzzer }) => fuzzer.name === name)
    if (found !== undefined) return found
    throw new Error(`--only ${name}: there are ${FUZZERS.map(({ fuzzer }) => fuzzer.name)}`)
  })
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`--${name} wants a whole number, got ${text}`)
}

function print({ fuzzer, seed, index, what }: Finding): void {
  const again =
    index < 0 ? '' : ` (npm run fuzz -- --only ${fuzzer} --seed ${seed} --case ${index})`
  console.log(`FOUND by ${fuzzer}${again}\n${what}`)
}

function line({ fuzzer }: Planned, result: PartResult): string {
  const { cases, seconds, wrong, crashes, tally, memory } = result
  const outcomes = [...tally]
    .toSorted(([, a], [, b]) => b - a)
    .map(([outcome, times]) => `${outcome} ${times}`)
  const rate = Math.round(cases / seconds)
  return [
    `${fuzzer.name}: ${cases} ${fuzzer.unit}, ${wrong} wrong, ${crashes} crashes`,
    `${seconds.toFixed(1)} s, ${rate}/s, ${memory[0]} to ${memory[1]} MiB`,
    outcomes.join(', '),
  ].join('\n  ')
}

await main()
