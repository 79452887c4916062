import { mock } from 'node:test'
import t from 'tap'
import { createMetrics } from '../../src/admin/metrics.ts'

const SECOND = 1_000

t.test('the metrics of a process that has nothing to do do not keep it busy', async (t) => {
  const setting = mock.method(globalThis, 'setInterval')
  t.teardown(() => setting.mock.restore())
  createMetrics({
    version: '0.0.0',
    keySetStatus: () => ({ usable: true, keys: 1, age: 0, reason: undefined }),
    tunnels: () => 0,
    remembered: () => 0,
    reloads: () => ({ last: undefined, since: 0 }),
    certificateExpires: () => undefined,
    now: () => 0,
  })
  const periods = setting.mock.calls.map(({ arguments: [, period] }) => period ?? 0)
  t.ok(periods.length > 0, 'it does look at the event loop')
  t.same(
    periods.filter((period) => period < SECOND),
    [],
  )
})
