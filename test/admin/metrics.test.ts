import perfHooks from 'node:perf_hooks'
import { mock } from 'node:test'
import t from 'tap'
import { quietMetrics } from '../helpers/metrics.ts'

t.test('the metrics of a process that has nothing to do do not keep it busy', async (t) => {
  const setting = mock.method(globalThis, 'setInterval')
  const watching = mock.method(perfHooks, 'monitorEventLoopDelay')
  t.teardown(() => mock.restoreAll())
  quietMetrics()
  const periods = setting.mock.calls.map(({ arguments: [, period] }) => period)
  t.same(periods, [1_000], 'utilization of the event loop')
  const resolutions = watching.mock.calls.map(({ arguments: [options] }) => options?.resolution)
  t.same(resolutions, [20], 'its lag')
})
