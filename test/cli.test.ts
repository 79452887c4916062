import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program with nothing in its environment but `env`, until it ends. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI, ...args],
      { env, timeout: 20_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

t.test('--version and --help say so and exit 0', async (t) => {
  const version = await run(['--version'])
  t.match(version, { code: 0, stdout: /^claimgate \d+\.\d+\.\d+\n$/ })
  const help = await run(['--help'])
  t.equal(help.code, 0)
  for (const word of ['serve', 'check', 'demo', '--upstream', '--jwks-uri'])
    t.match(help.stdout, word)
})

t.test('an unknown command exits 64 and names the known ones', async (t) => {
  t.match(await run(['sevre']), {
    code: 64,
    stdout: '',
    stderr: /unknown command "sevre"; wanted serve, check, demo/,
  })
})

t.test('wrong settings exit 78 with every problem on stderr and no stack', async (t) => {
  const { code, stdout, stderr } = await run(['--clock-skew', '60'], { CLAIMGATE_ROUTE: 'grafana' })
  t.equal(code, 78)
  t.equal(stdout, '')
  t.match(stderr, /^flag --clock-skew: clock_skew must .*, got "60"$/m)
  t.match(stderr, /^env CLAIMGATE_ROUTE: route must .*, got "grafana"$/m)
  t.match(stderr, /^not set: upstream must /m)
  t.notMatch(stderr, /^ {4}at /m)
})

t.test('a port that is taken gives one clear line and exits 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const { code, stderr } = await run([
    '--route=https://app.example.com',
    '--upstream=http://127.0.0.1:9',
    `--listen=127.0.0.1:${port}`,
    '--admin-listen=off',
    '--jwks-connect=127.0.0.1:9',
  ])
  t.equal(code, 1)
  t.match(stderr, /^claimgate: .*EADDRINUSE.*\n$/)
})
