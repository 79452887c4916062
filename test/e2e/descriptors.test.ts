// The program with few file descriptors, and more clients than it has of them.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { pause, startProgram, until } from '../helpers/program.ts'
import { startApp } from './app.ts'

const CONNECTIONS = 1_000

t.test('1000 connections with 256 descriptors do no lasting harm', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t)
  const program = await startProgram(t, {
    before: 'ulimit -n 256',
    env: { ...issuer.env, CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}` },
  })
  await program.untilReady()
  const good = async () => {
    const client = await keepAliveClient(program)
    const { status } = await client.ask(requestBytes(issuer.assertion()))
    client.end()
    return status
  }
  t.equal(await good(), 200)
  const early = await Promise.all(Array.from({ length: 12 }, () => keepAliveClient(program)))
  const sockets: Socket[] = []
  for (let i = 0; i < CONNECTIONS; i++) {
    const socket = connect(program.port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
  }
  await until(() => program.usage().descriptors >= 250, 'out of descriptors')
  // Whoever was there before is answered: 502 without a descriptor for a connection to the app, never silence.
  const replies = await Promise.all(
    early.map((client) => client.ask(requestBytes(issuer.assertion()))),
  )
  const statuses = new Set(replies.map(({ status }) => status))
  t.ok(statuses.has(502), 'descriptors had run out')
  t.same(
    [...statuses].filter((status) => status !== 502 && status !== 200),
    [],
  )
  for (const client of early) client.end()
  await pause(500)
  t.equal(program.child.exitCode, null, 'it lives')
  for (const socket of sockets) socket.destroy()
  await until(() => program.usage().descriptors < 50, 'rid of them')
  t.equal(await good(), 200)
  t.ok(await program.isReady())
  program.child.kill('SIGTERM')
  program.child.kill('SIGTERM')
  await once(program.child, 'exit')
})
