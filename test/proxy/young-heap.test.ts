import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t from 'tap'
import { imageOptions } from '../../bench/peers/claimgate.ts'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { type Program, startProgram, until } from '../helpers/program.ts'
import { OK } from '../helpers/raw-upstream.ts'

const CLIENTS = 32
const WARM_UP = 3_200
const ROUNDS = 5
const REQUESTS = 1_600
const REPORT = new URL('../helpers/heap-report.ts', import.meta.url).pathname

/** Bytes of old objects before and after a full collection. */
async function collect(program: Program): Promise<{ before: number; after: number }> {
  const reports = () => [...program.output().matchAll(/^old bytes: (\d+) (\d+)$/gm)]
  const seen = reports().length
  program.child.kill('SIGUSR2')
  await until(() => reports().length > seen, 'report', 10_000)
  const [, before, after] = reports().at(-1) ?? []
  return { before: Number(before), after: Number(after) }
}

/**
 * V8's quick collections take the dead with them unless something old, dead or not, refers to them. One such chain through
 * all requests costs more than anything that claimgate itself does with them.
 */
t.test('what a request leaves behind does not grow old', async (t) => {
  // Keeps nothing of what it gets: each request of this test arrives in one piece.
  const app = createServer((socket: Socket) => void socket.on('data', () => socket.write(OK)))
  app.listen(0, '127.0.0.1')
  await once(app, 'listening')
  t.teardown(() => void app.close())
  const issuer = await startIssuer(t)
  const program = await startProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${(app.address() as AddressInfo).port}`,
      CLAIMGATE_LOG_LEVEL: 'info',
    },
    // As the image: with Node's own choice there would be few quick collections.
    nodeArguments: [...imageOptions(readFileSync('Dockerfile', 'utf8')), '--import', REPORT],
  })
  await program.untilReady()
  const bytes = requestBytes(issuer.assertion())
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => keepAliveClient(program)))
  t.teardown(() => {
    for (const client of clients) client.end()
  })
  const ask = (count: number) =>
    Promise.all(
      clients.map(async (client) => {
        for (let i = 0; i < count / CLIENTS; i++)
          if ((await client.ask(bytes)).status !== 200) throw new Error('refused')
      }),
    )
  await ask(WARM_UP)
  // What lives between two requests is old from now on.
  let { after } = await collect(program)
  const grown: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await ask(REQUESTS)
    const report = await collect(program)
    grown.push((report.before - after) / REQUESTS)
    after = report.after
  }
  // The least: what is compiled meanwhile grows old by right.
  t.ok(Math.min(...grown) < 2_000, `bytes of each request: ${grown.map(Math.round).join(', ')}`)
})
