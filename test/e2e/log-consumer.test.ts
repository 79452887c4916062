// A consumer of the log that does not read, or is gone, must hold up neither requests nor the end.
import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { programOf, spawnProgram, until } from '../helpers/program.ts'
import { startApp } from './app.ts'

/** A real pipe, as containers have it; Node itself would give its child a socket. */
function openPipe(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'log')
  spawnSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(1024 * 1024)
  let text = ''
  return {
    writer: openSync(path, constants.O_WRONLY),
    /** All that was written so far. */
    read() {
      try {
        for (let n = 1; n > 0; ) {
          n = readSync(reader, buffer)
          text += buffer.toString('utf8', 0, n)
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
      return text
    },
    close: () => closeSync(reader),
  }
}

async function setUp(t: Test) {
  const issuer = await startIssuer(t)
  const app = await startApp(t)
  const pipe = openPipe(t)
  const env = {
    ...issuer.env,
    CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
    CLAIMGATE_DRAIN_DELAY: '0s',
  }
  const { child, exit } = spawnProgram(t, { env }, pipe.writer)
  closeSync(pipe.writer)
  const listening = () => /^\{.*"msg":"listening".*\}$/m.exec(pipe.read())?.[0]
  await until(() => listening() !== undefined, 'listening')
  const program = programOf(child, exit, { addresses: listening() ?? '', output: pipe.read })
  await program.untilReady()
  const ask = async (count: number, bytes: () => string) => {
    const client = await keepAliveClient(program)
    let slowest = 0
    const statuses = new Set<number>()
    for (let i = 0; i < count; i++) {
      const started = performance.now()
      statuses.add((await client.ask(bytes())).status)
      slowest = Math.max(slowest, performance.now() - started)
    }
    client.end()
    return { statuses: [...statuses], slowest: Math.round(slowest) }
  }
  return { issuer, pipe, program, ask }
}

/** The log line of this one is longer than 2 KiB. */
const LONG = requestBytes(undefined, { line: `GET /${'p'.repeat(2048)} HTTP/1.1` })
/** More lines of that length than a full pipe and the program together keep. */
const TOO_MANY = 2_000

t.test('a consumer that does not read loses lines, but nobody waits for it', async (t) => {
  const { issuer, pipe, program, ask } = await setUp(t)
  const before = program.usage().rss
  t.same((await ask(TOO_MANY, () => LONG)).statuses, [401])
  const { statuses, slowest } = await ask(200, () => requestBytes(issuer.assertion()))
  t.same(statuses, [200])
  t.comment(`slowest ${slowest} ms, rss +${Math.round(program.usage().rss - before)} MB`)
  t.ok(slowest < 2_000, `${slowest} ms`)
  t.ok(program.usage().rss - before < 150)

  await until(() => pipe.read().includes('"msg":"log lines dropped"'), 'told what was dropped')
  const lines = pipe.read().split('\n').slice(0, -1)
  const parsed = lines.map((line) => JSON.parse(line))
  const requests = parsed.filter(({ msg }) => msg === 'request').length
  const dropped = parsed.find(({ msg }) => msg === 'log lines dropped')
  t.equal(requests + dropped.lines, TOO_MANY + 200)
})

t.test('a consumer that does not read cannot keep the process from its end', async (t) => {
  const { program, ask } = await setUp(t)
  await ask(200, () => LONG)
  const signalled = performance.now()
  program.child.kill('SIGTERM')
  const { code, at } = await program.exit
  t.equal(code, 0)
  t.ok(at - signalled < 5_000, `${Math.round(at - signalled)} ms`)
})

t.test('a consumer that is gone does no harm', async (t) => {
  const { issuer, pipe, program, ask } = await setUp(t)
  pipe.close()
  t.same((await ask(300, () => LONG)).statuses, [401])
  t.same((await ask(50, () => requestBytes(issuer.assertion()))).statuses, [200])
  program.child.kill('SIGTERM')
  t.equal((await program.exit).code, 0)
})
