import t, { type Test } from 'tap'
import { type Case, runCorpus } from '../helpers/corpus.ts'
import { createRig } from '../key-set/fault-rig.ts'
import { answers } from '../key-set/faults/answers.ts'
import { load } from '../key-set/faults/load.ts'
import { rotation } from '../key-set/faults/rotation.ts'
import { size } from '../key-set/faults/size.ts'
import { start } from '../key-set/faults/start.ts'
import type { Interpreter } from '../key-set/faults/trial.ts'

const INTERPRETERS: ReadonlyMap<string, Interpreter> = new Map([
  ...answers,
  ...Object.entries({ ...start, ...size, ...rotation, ...load }),
])

async function runCase(
  t: Test,
  { id }: Case,
  interpreter: Interpreter,
): Promise<readonly string[]> {
  const deviations: string[] = []
  await t.test(id, async (t) => {
    const rig = await createRig(t, interpreter.options?.())
    const ok = (holds: boolean, what: string): void => {
      if (!holds) deviations.push(`${id}: ${what}`)
    }
    const is = (actual: unknown, wanted: unknown, what: string): void =>
      ok(actual === wanted, `${what} is ${actual}, not ${wanted}`)
    await interpreter.run({ rig, t, is, ok })
    t.same(deviations, [])
  })
  return deviations
}

t.test('what a key set endpoint may do wrong', async (t) => {
  await runCorpus<{ readonly cases: readonly Case[] }>(
    t,
    'jwks-faults.json',
    async ({ cases }, tally) => {
      for (const case_ of cases) {
        const interpreter = INTERPRETERS.get(case_.id)
        if (interpreter === undefined) {
          tally.notRun += 1
          t.comment(`not run: ${case_.id}`)
          continue
        }
        tally.ran += 1
        tally.deviations.push(...(await runCase(t, case_, interpreter)))
      }
    },
  )
})
