// What ends the built program, and with which exit code.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import t, { type Test } from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { type ProgramOptions, pause, spawnProgram, startProgram } from '../helpers/program.ts'
import { startApp } from './app.ts'

async function setUp(t: Test, options: Partial<ProgramOptions> = {}, delay = 0) {
  const issuer = await startIssuer(t)
  const app = await startApp(t, { delay })
  const env = { ...issuer.env, CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`, ...options.env }
  const start = () => startProgram(t, { ...options, env })
  return { issuer, env, start }
}

t.test('SIGTERM and SIGINT end it in order, with 0', async (t) => {
  const { start } = await setUp(t, { env: { CLAIMGATE_DRAIN_DELAY: '200ms' } })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const program = await start()
    await program.untilReady()
    const signalled = performance.now()
    program.child.kill(signal)
    const { code, at } = await program.exit
    t.equal(code, 0, signal)
    t.ok(at - signalled >= 200, 'after drain_delay')
    t.match(program.output(), new RegExp(`"signal":"${signal}","msg":"draining"`))
  }
})

t.test('a second signal ends it at once, with 128 and its number', async (t) => {
  const { start } = await setUp(t, { env: { CLAIMGATE_DRAIN_DELAY: '20s' } })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const program = await start()
    await program.untilReady()
    program.child.kill('SIGTERM')
    await pause(100)
    const signalled = performance.now()
    program.child.kill(signal)
    const { code, at } = await program.exit
    t.equal(code, 128 + constants.signals[signal], signal)
    t.ok(at - signalled < 5_000, `${Math.round(at - signalled)} ms`)
  }
})

t.test('a signal while it starts ends it with 0, without a wait', async (t) => {
  // The signal comes as soon as somebody listens for it.
  const hurry =
    'let sent=false;process.on("newListener",(name)=>{if(name==="SIGTERM"&&!sent){sent=true;queueMicrotask(()=>process.kill(process.pid,name))}})'
  const { env } = await setUp(t)
  const started = performance.now()
  const { child, exit } = spawnProgram(t, {
    env: { ...env, CLAIMGATE_DRAIN_DELAY: '20s' },
    nodeArguments: ['--import', `data:text/javascript,${hurry}`],
  })
  let output = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  t.equal((await exit).code, 0)
  t.match(output, '"draining"')
  t.ok(performance.now() - started < 15_000, 'drain_delay was not waited for')
})

const CANNOT_UNSHARE =
  spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0
    ? false
    : 'skipped: needs unshare (util-linux) and the right to use it'

t.test('it ends in order as process 1, which no signal ends by default', async (t) => {
  if (CANNOT_UNSHARE !== false) return void t.pass(CANNOT_UNSHARE, { skip: CANNOT_UNSHARE })
  const { start } = await setUp(t, {
    before: 'set -- unshare --pid --fork --kill-child "$@"',
    env: { CLAIMGATE_DRAIN_DELAY: '0s' },
  })
  const program = await start()
  await program.untilReady()
  const { pid } = program.child
  const [inner] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  t.match(readFileSync(`/proc/${inner}/status`, 'utf8'), /^NSpid:\t\d+\t1$/m)
  process.kill(Number(inner), 'SIGTERM')
  t.equal((await program.exit).code, 0)
  t.match(program.output(), '"signal":"SIGTERM","msg":"draining"')
})

t.test('SIGTERM while the first key set hangs ends it without drain_delay', async (t) => {
  const { issuer, start } = await setUp(t)
  issuer.server().answer(() => undefined)
  const program = await start()
  t.notOk(await program.isReady())
  const signalled = performance.now()
  program.child.kill('SIGTERM')
  const { code, at } = await program.exit
  t.equal(code, 0)
  t.ok(at - signalled < 3_000, `${Math.round(at - signalled)} ms`)
})

t.test('an uncaught fault finishes what is under way, then ends it with 1', async (t) => {
  const throwing =
    'process.on("SIGUSR2",()=>{setImmediate(()=>{throw new Error("sec"+"ret")});Promise.reject(new TypeError("sec"+"ret"))})'
  const { issuer, start } = await setUp(
    t,
    {
      env: { CLAIMGATE_DRAIN_DELAY: '100ms' },
      nodeArguments: ['--import', `data:text/javascript,${throwing}`],
    },
    600,
  )
  const program = await start()
  await program.untilReady()
  const client = await keepAliveClient(program)
  const answer = client.ask(requestBytes(issuer.assertion()))
  await pause(200)
  program.child.kill('SIGUSR2')
  const { status, isLast } = await answer
  t.same({ status, isLast }, { status: 200, isLast: true })
  t.equal((await program.exit).code, 1)
  t.equal(program.output().match(/"msg":"uncaught fault"/g)?.length, 2)
  t.notMatch(program.output(), 'secret')
})

t.test('a port that is taken gives one clear line and exit code 1', async (t) => {
  const { env, start } = await setUp(t)
  const { port, adminPort } = await start()
  for (const [name, taken] of [
    ['CLAIMGATE_LISTEN', port],
    ['CLAIMGATE_ADMIN_LISTEN', adminPort],
  ] as const) {
    const { child, exit } = spawnProgram(t, { env: { ...env, [name]: `127.0.0.1:${taken}` } })
    let errors = ''
    child.stderr?.on('data', (chunk) => {
      errors += chunk
    })
    t.equal((await exit).code, 1)
    t.equal(errors, `claimgate: listen EADDRINUSE: address already in use 127.0.0.1:${taken}\n`)
  }
})

t.test('it listens on ::1 and reaches an upstream on ::1', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t, { host: '::1' })
  const program = await startProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://[::1]:${app.port}`,
      CLAIMGATE_LISTEN: '[::1]:0',
    },
  })
  t.match(program.output(), `"listen":"[::1]:${program.port}"`)
  await program.untilReady()
  const client = await keepAliveClient({ port: program.port, host: '::1' })
  const { status, body } = await client.ask(requestBytes(issuer.assertion()))
  t.equal(status, 200)
  t.match(JSON.parse(body), { email: 'ann@example.com' })
  client.end()
})
