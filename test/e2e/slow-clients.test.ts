// Clients that send or read as slowly as they can: each is ended by its limit, and nobody else notices them.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { pause, startProgram, until } from '../helpers/program.ts'
import { startApp } from './app.ts'

interface Attack {
  readonly name: string
  readonly connections: number
  /** Sent at once, for each connection anew. */
  readonly begin: () => string
  /** Sent every 200 ms. */
  readonly drip?: string
  readonly doesNotRead?: boolean
  /** Status of the answer; 0 when none is due. */
  readonly answer: number
}

/** Idle connections to the app. */
const SPARE = 5

/** More than the buffers of both kernels hold. */
const LARGE = { line: 'GET /size/20000000 HTTP/1.1' }

t.test('slow heads, slow bodies and slow readers are ended, and no one waits', async (t) => {
  const issuer = await startIssuer(t)
  const app = await startApp(t)
  const program = await startProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
      CLAIMGATE_HEADER_TIMEOUT: '1s',
      CLAIMGATE_BODY_IDLE_TIMEOUT: '1500ms',
    },
  })
  await program.untilReady()
  const upload = { line: 'POST /t HTTP/1.1', lines: ['Content-Length: 1000'], body: 'x' }
  const attacks: readonly Attack[] = [
    {
      name: 'slow heads',
      connections: 200,
      begin: () => 'GET / HTTP/1.1\r\nHost: a\r\n',
      drip: 'X: y\r\n',
      answer: 408,
    },
    { name: 'nothing at all', connections: 100, begin: () => '', answer: 0 },
    {
      name: 'bodies that stop',
      connections: 100,
      begin: () => requestBytes(issuer.assertion(), upload),
      answer: 408,
    },
    {
      name: 'slow bodies without an assertion',
      connections: 100,
      begin: () => requestBytes(undefined, upload),
      drip: 'x',
      answer: 401,
    },
    {
      name: 'readers that stop',
      connections: 20,
      begin: () => requestBytes(issuer.assertion(), LARGE),
      doesNotRead: true,
      answer: 0,
    },
    {
      name: 'readers that stop, but send on',
      connections: 20,
      begin: () => `${requestBytes(issuer.assertion(), LARGE)}GET / HTTP/1.1\r\nX: `,
      drip: 'x',
      doesNotRead: true,
      answer: 0,
    },
  ]
  const client = await keepAliveClient(program)
  const good = async () => {
    const started = performance.now()
    const { status } = await client.ask(requestBytes(issuer.assertion()))
    t.equal(status, 200)
    return performance.now() - started
  }
  await good()
  const before = program.usage()
  for (const attack of attacks) {
    const started = performance.now()
    const slow = await Promise.all(Array.from({ length: attack.connections }, () => begin(attack)))
    const times: number[] = []
    // A client that does not read does not see the end: the program's descriptors tell.
    const open = () => program.usage().descriptors - before.descriptors - SPARE
    if (attack.doesNotRead === true) await until(() => open() >= attack.connections, 'connected')
    const left = () =>
      attack.doesNotRead === true
        ? Math.max(0, open())
        : slow.filter(({ isClosed }) => !isClosed()).length
    while (left() > 0 && performance.now() - started < 8_000) {
      times.push(await good())
      await pause(20)
    }
    const elapsed = Math.round(performance.now() - started)
    const typical = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
    t.comment(
      `${attack.name}: ended in ${elapsed} ms, a good request took ${typical.toFixed(1)} ms`,
    )
    t.equal(left(), 0, `${attack.name}: all ended`)
    const answers = new Set(slow.map(({ received }) => statusOf(received())))
    if (attack.doesNotRead !== true) t.same([...answers], [attack.answer], attack.name)
    for (const { end } of slow) end()
    // The machine may be busy with something else for a moment: the slowest one says nothing.
    t.ok(typical < 250, `${typical} ms`)
  }
  const grown = Math.round(program.usage().rss - before.rss)
  t.ok(grown < 150, `rss grew by ${grown} MB`)
  client.end()

  async function begin({ begin, drip, doesNotRead = false }: Attack) {
    const socket: Socket = connect(program.port, '127.0.0.1')
    let received = ''
    let closed = false
    socket.on('error', () => undefined)
    socket.on('close', () => {
      closed = true
    })
    await once(socket, 'connect')
    if (!doesNotRead) socket.on('data', (chunk) => (received += chunk.toString('latin1')))
    socket.write(begin())
    const timer = drip === undefined ? undefined : setInterval(() => socket.write(drip), 200)
    socket.on('close', () => clearInterval(timer))
    t.teardown(() => socket.destroy())
    return { isClosed: () => closed, received: () => received, end: () => socket.destroy() }
  }
})

const statusOf = (text: string): number => (text === '' ? 0 : Number(text.slice(9, 12)))
