import t, { type Test } from 'tap'
import { type Case, runCorpus } from '../helpers/corpus.ts'
import { connection } from './upstream/connection.ts'
import { ends } from './upstream/ends.ts'
import { pressure } from './upstream/pressure.ts'
import { response } from './upstream/response.ts'
import { type Interpreter, runTrial } from './upstream/trial.ts'

const FILE = 'upstream-faults.json'

const INTERPRETERS: ReadonlyMap<string, Interpreter> = new Map(
  Object.entries({ ...connection, ...response, ...pressure, ...ends }),
)

t.test('what an upstream or a client may do wrong', async (t: Test) => {
  await runCorpus<{ readonly cases: readonly Case[] }>(t, FILE, async ({ cases }, tally) => {
    for (const { id } of cases) {
      const interpreter = INTERPRETERS.get(id)
      if (interpreter === undefined) {
        tally.notRun += 1
        t.comment(`not run: ${id}`)
        continue
      }
      tally.ran += 1
      await t.test(id, async (t) => {
        const deviations = await runTrial(t, interpreter)
        t.same(deviations, [])
        tally.deviations.push(...deviations.map((deviation) => `${id}: ${deviation}`))
      })
    }
  })
})
