// How the built program ends under load; `npm run drain-rounds` runs many more rounds of the same.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { pause, startProgram } from '../helpers/program.ts'
import { startApp } from './app.ts'
import { type DrainRound, drainRound } from './drain-round.ts'

const LOAD = { connections: 20, webSockets: 5, lead: 250 }

const ROUNDS: readonly (readonly [string, Pick<DrainRound, 'delay' | 'reconnect'>])[] = [
  ['clients connect anew until they see /readyz', { delay: '300ms', reconnect: 'while ready' }],
  ['clients keep their connections, no drain_delay', { delay: '0s', reconnect: 'never' }],
]

t.test('SIGTERM under load loses no request', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t, { delay: 20 })
  for (const [name, how] of ROUNDS) {
    const result = await drainRound(t, { issuer, app, ...LOAD, ...how })
    t.comment(`${name}: ${result.answered} answered, ${result.duration} ms`)
    t.ok(result.answered > 20, `${name}: there was load`)
    t.same(result.lost, [], `${name}: no request was lost`)
    t.same(result.closeCodes, Array(5).fill(1001), `${name}: WebSockets end with 1001`)
    t.equal(result.exitCode, 0)
    t.ok(result.duration < 8_000, `${result.duration} ms`)
  }
})

t.test('requests that are cut at drain_timeout are in the log and in the audit log', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t, { delay: 60_000 })
  const audit = join(t.testdir(), 'audit.log')
  const program = await startProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
      CLAIMGATE_DRAIN_DELAY: '0s',
      CLAIMGATE_DRAIN_TIMEOUT: '1s',
      CLAIMGATE_AUDIT_LOG: audit,
    },
  })
  await program.untilReady()
  const clients = await Promise.all([1, 2, 3].map(() => keepAliveClient({ port: program.port })))
  const cut = clients.map((client) =>
    client.ask(requestBytes(issuer.assertion())).catch(() => 'cut'),
  )
  while (app.arrived() < 3) await pause(10)
  program.child.kill('SIGTERM')
  t.equal((await program.exit).code, 0)
  t.same(await Promise.all(cut), ['cut', 'cut', 'cut'])
  t.equal(program.output().match(/"aborted":true,"msg":"request"/g)?.length, 3)
  t.equal(readFileSync(audit, 'utf8').match(/"decision":"forward"/g)?.length, 3)
})

t.test('a slow request is finished, and the process ends right after it', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t, { delay: 1_500 })
  const program = await startProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
      CLAIMGATE_DRAIN_DELAY: '0s',
    },
  })
  await program.untilReady()
  const client = await keepAliveClient(program)
  const answer = client.ask(requestBytes(issuer.assertion()))
  await pause(300)
  program.child.kill('SIGTERM')
  const { status, isLast } = await answer
  const answered = performance.now()
  t.same({ status, isLast }, { status: 200, isLast: true })
  const { code, at } = await program.exit
  t.equal(code, 0)
  t.ok(at - answered < 2_000, `${Math.round(at - answered)} ms after the answer`)
})

t.test('50 idle connections and one silent stream do not outlive drain_timeout', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t)
  const program = await startProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
      CLAIMGATE_DRAIN_DELAY: '0s',
      CLAIMGATE_DRAIN_TIMEOUT: '3s',
    },
  })
  await program.untilReady()
  const idle = await Promise.all(Array.from({ length: 50 }, () => keepAliveClient(program)))
  for (const client of idle) await client.ask(requestBytes(issuer.assertion()))
  const stream = await keepAliveClient(program)
  const events = stream.ask(requestBytes(issuer.assertion(), { line: 'GET /events HTTP/1.1' }))
  events.catch(() => undefined)
  await pause(100)
  const signalled = performance.now()
  const elapsed = () => performance.now() - signalled
  program.child.kill('SIGTERM')
  await Promise.all(
    idle.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))),
  )
  t.ok(elapsed() < 2_000, `idle connections ended after ${Math.round(elapsed())} ms`)
  await t.rejects(events, { message: 'truncated' })
  const { code } = await program.exit
  t.equal(code, 0)
  t.ok(elapsed() > 2_900 && elapsed() < 6_000, `${Math.round(elapsed())} ms`)
})
