import t, { type Test } from 'tap'
import { connection } from './upstream/connection.ts'
import { ends } from './upstream/ends.ts'
import { pressure } from './upstream/pressure.ts'
import { response } from './upstream/response.ts'
import { runInterpreters } from './upstream/run.ts'

t.test('what an upstream or a client may do wrong', async (t: Test) => {
  const interpreters = { ...connection, ...response, ...pressure, ...ends }
  await runInterpreters(t, 'upstream-faults.json', interpreters)
})
