import t from 'tap'
import { readDemoOptions } from '../../src/demo/options.ts'
import { ConfigError } from '../../src/errors.ts'

const problemsOf = (...flags: string[]) => {
  try {
    readDemoOptions(flags)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

t.test('without flags the demo is on 127.0.0.1 and chooses its port', async (t) => {
  t.strictSame(readDemoOptions([]), { host: '127.0.0.1', port: undefined })
})

t.test('loopback addresses and any port are taken', async (t) => {
  t.strictSame(readDemoOptions(['--host', 'localhost', '--port', '0']), {
    host: '127.0.0.1',
    port: 0,
  })
  t.strictSame(readDemoOptions(['--host=127.8.9.1', '--port=65535']), {
    host: '127.8.9.1',
    port: 65_535,
  })
  t.equal(readDemoOptions(['--host', '::1']).host, '::1')
})

t.test('any other address is refused', async (t) => {
  for (const host of [
    '0.0.0.0',
    '::',
    '192.168.1.2',
    '128.0.0.1',
    'example.com',
    'localhost.',
    '',
  ]) {
    t.strictSame(problemsOf('--host', host), [
      {
        source: 'flag --host',
        message: `found "${host}"; want a loopback address, because the demo signs in whoever asks`,
      },
    ])
  }
})

t.test('every problem is reported at once', async (t) => {
  t.strictSame(
    problemsOf('--host', '0.0.0.0', '--port', '65536').map(({ source }) => source),
    ['flag --host', 'flag --port'],
  )
  for (const port of ['', '-1', '80a', '1e3']) t.equal(problemsOf(`--port=${port}`).length, 1, port)
})

t.test('an unknown flag is refused', async (t) => {
  t.match(problemsOf('--listen', '0.0.0.0:1')[0], {
    source: 'claimgate demo',
    message: /'--listen'.*want \[--host ADDRESS\] \[--port PORT\]$/,
  })
})
