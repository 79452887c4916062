import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requestBytes } from '../../helpers/claimgate.ts'
import { keepAliveClient } from '../../helpers/keep-alive-client.ts'
import { until } from '../../helpers/program.ts'
import { type Interpreter, only } from './trial.ts'

const RELOADS = 'claimgate_config_reloads_total'
const CLIENTS = 8
const GOOD_RELOADS = 5

const reloads = only(async ({ t, issuer, start, ask, is, ok }) => {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-reloads-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'config.yaml')
  writeFileSync(path, 'log_level: info\n')
  const program = await start({ CLAIMGATE_CONFIG: path })
  const state = { isOver: false, answered: 0, lost: 0 }
  const clients = Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const client = await keepAliveClient(program)
      while (!state.isOver) {
        const reply = await client.ask(requestBytes(issuer.assertion())).catch(() => undefined)
        if (reply?.status === 200) state.answered += 1
        else state.lost += 1
        if (reply === undefined) break
      }
      client.end()
    }),
  )
  const load = async (text: string, result: 'ok' | 'error') => {
    const before = await program.metric(RELOADS, `result="${result}"`)
    writeFileSync(path, text)
    program.child.kill('SIGHUP')
    const isDone = async () => (await program.metric(RELOADS, `result="${result}"`)) > before
    await until(isDone, `a reload with ${result}`, 10_000)
  }
  for (let i = 0; i < GOOD_RELOADS; i += 1)
    await load(`status_path: /who${i}\nclock_skew: ${60 + i}s\n`, 'ok')
  await load('status_path: 7\nno_such_setting: 1\n', 'error')
  is((await ask(program)).status, 200, 'a good request under the old settings')
  state.isOver = true
  await clients
  is(state.lost, 0, 'requests lost')
  ok(state.answered > 0, 'no request was answered')
  t.comment(`${state.answered} answered over ${GOOD_RELOADS} good reloads and a bad one`)
})

/** Settings that change while requests are under way. */
export const reload: Readonly<Record<string, Interpreter>> = { 'drain/sighup-reload': reloads }
