import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createKey } from './helpers/keys.ts'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program with nothing in its environment but `env`, until it ends. */
function run(
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI, ...args],
      { env, timeout: 20_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
    child.stdin?.on('error', () => undefined).end(input)
  })
}

t.test('--version and --help say so and exit 0', async (t) => {
  const version = await run(['--version'])
  t.match(version, { code: 0, stdout: /^claimgate \d+\.\d+\.\d+\n$/ })
  const help = await run(['--help'])
  t.equal(help.code, 0)
  for (const word of [
    'serve',
    'check',
    'demo',
    'explain',
    'doctor',
    'report',
    'preset',
    '--upstream',
    '--jwks-uri',
  ])
    t.match(help.stdout, word)
})

t.test('an unknown command exits 64 and names the known ones', async (t) => {
  t.match(await run(['sevre']), {
    code: 64,
    stdout: '',
    stderr: /unknown command "sevre"; wanted serve, check, demo, explain, doctor, report, preset/,
  })
})

t.test('explain reads standard input and exits 1 for what is refused', async (t) => {
  const { publicKey } = createKey()
  const path = join(t.testdir(), 'key.pem')
  writeFileSync(path, publicKey.export({ type: 'spki', format: 'pem' }))
  const args = ['explain', '--route=https://app.example.com', '--jwks-file', path]
  t.match(await run(args, {}, 'X-Pomerium-Jwt-Assertion:'), {
    code: 1,
    stdout: /^REFUSED with 401 ERR_ASSERTION_EMPTY/,
    stderr: '',
  })
  t.match(await run(['explain', 'a.b.c']), { code: 78, stdout: '', stderr: /^not set: issuer/ })
})

t.test('doctor exits 1 for what must be mended', async (t) => {
  const flags = ['--route=https://app.example.com', '--jwks-connect=127.0.0.1:1']
  t.match(await run(['doctor', ...flags, '--upstream=unix:/nowhere/app.sock']), {
    code: 1,
    stdout: /^✗ key set {3}127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/m,
    stderr: '',
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

t.test('report reads the log on standard input, without settings', async (t) => {
  const log = '{"msg":"request","method":"GET","path":"/a","would_refuse":"ERR_ASSERTION_EMPTY"}\n'
  t.match(await run(['report'], {}, log), {
    code: 1,
    stdout: /^1 requests\n1 would be refused/,
    stderr: '',
  })
})
