/**
 * Shows that the tests notice: takes each check of the program away in turn, in a copy of the project, and runs the tests
 * that must go red then. `npm run mutate`; with `-- --only TEXT` the mutants whose file or harm holds the text.
 *
 * Ends with 1 when a mutant survives, when one that is said to be equivalent does not, or when a test is red without any.
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { MUTANTS } from '../test/mutants/all.ts'
import type { Mutant } from '../test/mutants/mutant.ts'
import { type Run, runTest } from '../test/mutants/run-test.ts'

const JOBS = 2
const NOT_COPIED = new Set(['node_modules', '.git', '.tap', 'dist'])

/** The time of each test without a mutant, and with one how much longer it may take before it hangs. */
const LEAST_LIMIT = 20_000
const PATIENCE = 6

type Outcome = 'killed' | 'hung' | 'survived'

interface Verdict {
  readonly mutant: Mutant
  readonly outcome: Outcome
  /** The test that noticed, or the file that did not. */
  readonly by: string
}

const { values: flags } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const chosen = MUTANTS.filter(({ file, harm }) => `${file}: ${harm}`.includes(flags.only))
const stale = chosen.filter(({ file, source }) => !readFileSync(file, 'utf8').includes(source))
if (stale.length > 0) throw new Error(`no such source: ${stale.map(({ harm }) => harm).join('; ')}`)
const folder = mkdtempSync(join(tmpdir(), 'claimgate-mutate-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** The project as it is, with the packages and the corpus beside it where they are. */
function copyProject(name: string): string {
  const home = join(folder, name, 'project')
  cpSync('.', home, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) })
  symlinkSync(realpathSync('node_modules'), join(home, 'node_modules'))
  if (existsSync('../shared')) symlinkSync(realpathSync('../shared'), join(folder, name, 'shared'))
  return home
}

/** Runs the jobs on several copies of the project, one at a time on each; the results keep the order of the jobs. */
async function inParallel<T, R>(
  homes: readonly string[],
  jobs: readonly T[],
  work: (home: string, job: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const queue = [...jobs.entries()]
  const worker = async (home: string) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results[next[0]] = await work(home, next[1])
  }
  await Promise.all(homes.map(worker))
  return results
}

async function judge(home: string, mutant: Mutant, limits: Limits): Promise<Verdict> {
  const path = join(home, mutant.file)
  const original = await readFile(path, 'utf8')
  await writeFile(
    path,
    original.replace(mutant.source, () => mutant.replacement),
  )
  try {
    const runs: Run[] = []
    for (const test of mutant.tests) {
      const run = await runTest(home, test, limits.get(test) ?? LEAST_LIMIT)
      if (run.outcome === 'green') return { mutant, outcome: 'survived', by: test }
      runs.push(run)
    }
    const hung = runs.find(({ outcome }) => outcome === 'hung')
    const [first] = runs
    return { mutant, outcome: hung === undefined ? 'killed' : 'hung', by: first?.failed ?? '' }
  } finally {
    await writeFile(path, original)
  }
}

type Limits = ReadonlyMap<string, number>

const isRight = ({ mutant, outcome }: Verdict): boolean =>
  (mutant.equivalent === undefined) === (outcome !== 'survived')

function lineOf({ mutant, outcome, by }: Verdict): string {
  const isKnown = mutant.equivalent !== undefined && outcome === 'survived'
  const word = isKnown ? 'equivalent' : outcome
  return `${word.padEnd(10)} ${mutant.file}: ${mutant.harm} | ${isKnown ? mutant.equivalent : by}`
}

const homes = Array.from({ length: JOBS }, (_, index) => copyProject(String(index)))
const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))]
console.log(`${chosen.length} mutants, ${tests.length} test files; first without a mutant`)
const sound = await inParallel(homes, tests, async (home, test) => {
  const run = await runTest(home, test, 120_000)
  // A busy machine may have been too slow for it; what is red twice is red.
  return { test, run: run.outcome === 'green' ? run : await runTest(home, test, 120_000) }
})
const red = sound.filter(({ run }) => run.outcome !== 'green')
for (const { test, run } of red) console.log(`red without a mutant: ${test}: ${run.failed}`)
if (red.length > 0) process.exit(1)

const limits: Limits = new Map(
  sound.map(({ test, run }) => [test, Math.max(LEAST_LIMIT, run.duration * PATIENCE)]),
)
const verdicts = await inParallel(homes, chosen, async (home, mutant) => {
  const verdict = await judge(home, mutant, limits)
  console.log(lineOf(verdict))
  return verdict
})

const wrong = verdicts.filter((verdict) => !isRight(verdict))
const count = (outcome: Outcome) => verdicts.filter((verdict) => verdict.outcome === outcome).length
const equivalent = verdicts.filter(
  (verdict) => isRight(verdict) && verdict.outcome === 'survived',
).length
for (const { mutant, outcome } of wrong)
  console.log(
    `${outcome}${mutant.equivalent === undefined ? '' : ' but said to be equivalent'}: ${mutant.file}: ${mutant.harm}\n- ${mutant.source}\n+ ${mutant.replacement}`,
  )
console.log(
  `${verdicts.length} mutants, ${count('killed') + count('hung')} killed (${count('hung')} by a hang), ${count('survived') - equivalent} survived, ${equivalent} equivalent`,
)
process.exitCode = wrong.length === 0 ? 0 : 1
