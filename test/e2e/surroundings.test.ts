// What the built program warns of in its log at the start.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { startIssuer } from '../helpers/issuer.ts'
import { type Program, startProgram } from '../helpers/program.ts'
import { startApp } from './app.ts'

async function untilLogged(program: Program, wanted: RegExp): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!wanted.test(program.output())) {
    if (Date.now() > deadline) throw new Error(`not logged: ${program.output()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

t.test('headers that will not fit are warned of, and the app is left alone', async (t) => {
  const issuer = await startIssuer(t)
  let connections = 0
  const app = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  app.listen(0, '127.0.0.1')
  await once(app, 'listening')
  t.teardown(() => app.close())
  const { port } = app.address() as AddressInfo
  const env = {
    ...issuer.env,
    CLAIMGATE_UPSTREAM: `http://127.0.0.1:${port}`,
    CLAIMGATE_MAX_HEADER_SIZE: '8KiB',
  }
  const program = await startProgram(t, { env })
  await program.untilReady()
  await untilLogged(program, /"level":40,.*"about":"headers",.*"msg":"surroundings warning"/)
  const answer = await fetch(`http://127.0.0.1:${program.port}/`)
  t.equal(answer.status, 401)
  await answer.text()
  t.equal(connections, 0)
})

t.test('report_only is warned of at every start', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t, { delay: 0 })
  const upstream = `http://127.0.0.1:${app.port}`
  const env = { ...issuer.env, CLAIMGATE_UPSTREAM: upstream, CLAIMGATE_REPORT_ONLY: 'unsafe' }
  const program = await startProgram(t, { env })
  await program.untilReady()
  t.match(program.output(), /"warning":"env CLAIMGATE_REPORT_ONLY: .*","msg":"settings warning"/)
  const answer = await fetch(`http://127.0.0.1:${program.port}/`)
  t.equal(answer.status, 200)
  await answer.text()
  await untilLogged(program, /"would_refuse":"ERR_ASSERTION_MISSING"/)
})
