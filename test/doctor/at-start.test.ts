import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { examineAtStart } from '../../src/doctor/at-start.ts'
import { testConfig } from '../helpers/claimgate.ts'

async function listen(t: Test, host: string): Promise<number> {
  const app = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => app.listen(0, host, resolve))
  t.teardown(() => app.close())
  return (app.address() as { port: number }).port
}

t.test('where all is well it says nothing', async (t) => {
  const config = testConfig(await listen(t, '127.0.0.1'), 'absent')
  t.strictSame(await examineAtStart(config, ['127.0.0.2']), [])
})

t.test('an app that others reach, and one that nobody reaches, are warned of', async (t) => {
  const open = testConfig(await listen(t, '0.0.0.0'), 'absent')
  t.match(await examineAtStart(open, ['127.0.0.2']), [
    { about: 'upstream', severity: 'warning', message: /answers at 127\.0\.0\.2, too/ },
  ])
  t.match(await examineAtStart(testConfig(1, 'absent'), []), [
    { about: 'upstream', severity: 'error', message: /cannot be reached \(ECONNREFUSED\)/ },
  ])
})

t.test('what the settings warn of already is not said twice', async (t) => {
  const port = await listen(t, '0.0.0.0')
  const config = {
    ...testConfig(port, 'absent'),
    upstream: { protocol: 'http:', hostname: '0.0.0.0', port },
    maxHeaderSize: 8_192,
  } as const
  t.match(await examineAtStart(config, []), [{ about: 'headers', change: /^max_header_size/ }])
  t.equal((await examineAtStart(config, [])).length, 1)
})
