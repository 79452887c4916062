// The built program under load, attack and signals. Counts are scaled to seconds; what they stand for is kept.
import t, { type Test } from 'tap'
import { crash } from './lifecycle/crash.ts'
import { drain } from './lifecycle/drain.ts'
import { flood } from './lifecycle/flood.ts'
import { reload } from './lifecycle/reload.ts'
import { slow } from './lifecycle/slow.ts'
import { telling } from './lifecycle/telling.ts'
import { runInterpreters } from './lifecycle/trial.ts'

/** Why a case is not run here. */
const EXCUSES = {
  'flood/es256-cpu': 'a share of throughput needs a machine of its own',
  'soak/1h': 'takes an hour',
}

t.setTimeout(300_000)

t.test('the life of the program', async (t: Test) => {
  const interpreters = { ...drain, ...crash, ...slow, ...flood, ...telling, ...reload }
  await runInterpreters(t, 'lifecycle-load.json', interpreters, EXCUSES)
})
