// What holds for plain connections of the data port has to hold for TLS: these files are run again, with TLS on it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { firstFailure } from '../mutants/run-test.ts'

const FILES = [
  'test/drain.test.ts',
  'test/server.test.ts',
  'test/proxy/pipelining.test.ts',
  'test/proxy/tunnel-client-end.test.ts',
]

for (const file of FILES)
  t.test(`${file} holds over TLS`, async (t) => {
    const env = { ...process.env, TEST_OVER_TLS: '1', TAP_TIMEOUT: '250' }
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [code] = await once(child, 'close')
    t.equal(code, 0, code === 0 ? 'all of it' : firstFailure(output))
    t.match(output, /^ok 1 - /m)
  })
