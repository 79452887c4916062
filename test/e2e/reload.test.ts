// The built program whose settings change: by SIGHUP, by a new file, by a swapped folder, under load, and badly.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { pause, startProgram, until } from '../helpers/program.ts'
import { startApp } from './app.ts'

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
const RELOADS = 'claimgate_config_reloads_total'

async function setUp(t: Test, { delay = 0 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-reload-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const issuer = await startIssuer(t)
  const app = await startApp(t, { delay })
  const path = join(folder, 'config.yaml')
  const text = (more = '') => `upstream: http://127.0.0.1:${app.port}\n${more}`
  const write = (more?: string) => writeFileSync(path, text(more))
  const start = async (config = path) => {
    const env = { ...issuer.env, CLAIMGATE_CONFIG: config }
    const program = await startProgram(t, { env })
    await program.untilReady()
    const reloads = (result: string) => program.metric(RELOADS, `result="${result}"`)
    const ask = async (path = '/t') => {
      const client = await keepAliveClient(program)
      const reply = await client.ask(
        requestBytes(issuer.assertion(), { line: `GET ${path} HTTP/1.1` }),
      )
      client.end()
      return reply
    }
    return { program, reloads, ask }
  }
  return { folder, path, issuer, app, text, write, start }
}

t.test('a changed file is in use within seconds, and the log says what changed', async (t) => {
  const { write, start } = await setUp(t)
  write()
  const { program, reloads, ask } = await start()
  write('status_path: /who\nlog_level: debug\n')
  await until(async () => (await reloads('ok')) === 1, 'reloaded')
  t.match((await ask('/who')).body, 'ann@example.com')
  const line = '"changed":{"log_level":"debug","status_path":"/who"},"msg":"settings reloaded"'
  await until(() => program.output().includes(line), 'logged')
})

t.test('SIGHUP reloads at once, also what is set by files of the environment', async (t) => {
  const { folder, issuer, app } = await setUp(t)
  const program = await startProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
      CLAIMGATE_STATUS_PATH_FILE: join(folder, 'path'),
    },
    before: `echo /one > ${join(folder, 'path')}`,
  })
  await program.untilReady()
  writeFileSync(join(folder, 'path'), '/two\n')
  program.child.kill('SIGHUP')
  await until(async () => (await program.metric(RELOADS, 'result="ok"')) === 1, 'reloaded', 1_500)
  await until(() => program.output().includes('"changed":{"status_path":"/two"}'), 'logged')
})

t.test('SIGHUP without any file changes nothing and ends nothing', async (t) => {
  const { issuer, app } = await setUp(t)
  const program = await startProgram(t, {
    env: { ...issuer.env, CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}` },
  })
  await program.untilReady()
  program.child.kill('SIGHUP')
  await until(() => program.output().includes('"changed":{},"msg":"settings reloaded"'), 'reloaded')
})

t.test('a folder that is swapped by symbolic link is in use within seconds', async (t) => {
  const { folder, text, start } = await setUp(t)
  for (const [name, more] of [
    ['..1', ''],
    ['..2', 'status_path: /who\n'],
  ] as const) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'config.yaml'), text(more))
  }
  symlinkSync('..1', join(folder, '..data'))
  symlinkSync(join('..data', 'config.yaml'), join(folder, 'config.yaml'))
  const { reloads, ask } = await start()
  symlinkSync('..2', join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  await until(async () => (await reloads('ok')) === 1, 'reloaded')
  t.match((await ask('/who')).body, 'ann@example.com')
})

t.test('ten reloads under load lose no request and no WebSocket', async (t) => {
  const { issuer, write, start } = await setUp(t, { delay: 30 })
  write()
  const { program, reloads } = await start()
  const tunnel = await keepAliveClient(program)
  t.equal((await tunnel.ask(requestBytes(issuer.assertion(), { lines: HANDSHAKE }))).status, 101)
  const counts: Record<string, number> = {}
  let isOver = false
  const work = async () => {
    const client = await keepAliveClient(program)
    while (!isOver) {
      const outcome = await client.ask(requestBytes(issuer.assertion())).then(
        ({ status }) => String(status),
        (error: Error) => error.message,
      )
      counts[outcome] = (counts[outcome] ?? 0) + 1
    }
    client.end()
  }
  const workers = Array.from({ length: 8 }, work)
  for (let round = 1; round <= 10; round++) {
    write(`status_path: /who-${round}\nmax_connections: ${1000 + round}\n`)
    program.child.kill('SIGHUP')
    await until(async () => (await reloads('ok')) >= round, `reload ${round}`)
    await until(() => (counts['200'] ?? 0) > round * 12, 'under load')
  }
  isOver = true
  await Promise.all(workers)
  t.strictSame(Object.keys(counts), ['200'], JSON.stringify(counts))
  t.ok((counts['200'] ?? 0) > 100, `${counts['200']} requests`)
  t.ok(tunnel.isOpen(), 'the WebSocket is open')
  t.equal(await program.metric('claimgate_tunnels_open'), 1)
  tunnel.end()
})

t.test('a key set elsewhere is fetched before it is in use', async (t) => {
  const { issuer, app, path } = await setUp(t)
  const other = await startIssuer(t)
  other.server().answer(() => undefined)
  const { CLAIMGATE_JWKS_URI: first = '', ...env } = issuer.env
  const write = (uri: string) =>
    writeFileSync(
      path,
      `upstream: http://127.0.0.1:${app.port}\njwks_uri: ${uri}\njwks_timeout: 500ms\n`,
    )
  write(first)
  const program = await startProgram(t, { env: { ...env, CLAIMGATE_CONFIG: path } })
  await program.untilReady()
  const status = async (assertion: string) => {
    const client = await keepAliveClient(program)
    const reply = await client.ask(requestBytes(assertion))
    client.end()
    return reply.status
  }
  write(other.server().uri.href)
  program.child.kill('SIGHUP')
  await until(() => program.output().includes('new settings wait for their key set'), 'waiting')
  for (let i = 0; i < 20; i++) {
    t.equal(await status(issuer.assertion()), 200)
    t.ok(await program.isReady())
    await pause(50)
  }
  other.server().serve(other.keySet())
  await until(async () => (await program.metric(RELOADS, 'result="ok"')) === 1, 'in use', 20_000)
  t.equal(await status(other.assertion()), 200)
  t.equal(await status(issuer.assertion()), 401)
})

const BAD: readonly (readonly [name: string, spoil: (path: string, text: string) => void])[] = [
  ['truncated', (path) => writeFileSync(path, '')],
  ['half written', (path, text) => writeFileSync(path, `${text}identity_headers: {X-A`)],
  ['gone', (path) => rmSync(path)],
  [
    'a folder',
    (path) => {
      rmSync(path)
      mkdirSync(path)
    },
  ],
  ['no text', (path) => writeFileSync(path, Buffer.alloc(4096, 0xff))],
  [
    'wrong in two places',
    (path, text) => writeFileSync(path, `${text}clock_skew: 1\nlog_levl: info\n`),
  ],
]

for (const [name, spoil] of BAD)
  t.test(
    `a file that is ${name} keeps the old settings, and a good one is taken again`,
    async (t) => {
      const { path, text, write, start } = await setUp(t)
      write('status_path: /who\n')
      const { program, reloads, ask } = await start()
      spoil(path, text())
      await until(async () => (await reloads('error')) >= 1, 'refused')
      t.match((await ask('/who')).body, 'ann@example.com')
      t.equal(await program.metric('claimgate_config_last_reload_successful'), 0)
      const line = /"problem":".+","msg":"settings not reloaded, the last good ones stay"/
      await until(() => line.test(program.output()), 'logged')
      rmSync(path, { recursive: true, force: true })
      write('status_path: /new\n')
      await until(async () => (await reloads('ok')) >= 1, 'taken')
      t.match((await ask('/new')).body, 'ann@example.com')
    },
  )

t.test('a file that may not be read keeps the old settings', async (t) => {
  if (process.getuid?.() === 0)
    return void t.pass('skipped: root may read everything', {
      skip: 'skipped: root may read everything',
    })
  const { path, write, start } = await setUp(t)
  write('status_path: /who\n')
  const { program, reloads, ask } = await start()
  chmodSync(path, 0)
  program.child.kill('SIGHUP')
  await until(async () => (await reloads('error')) === 1, 'refused')
  t.match((await ask('/who')).body, 'ann@example.com')
})
