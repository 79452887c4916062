import t from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { startProgram, until } from '../helpers/program.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const TUNNELS = 20
const SEARCH = new URL('../helpers/heap-search.ts', import.meta.url).pathname
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

const handshake = (assertion: string, lines: readonly string[]) =>
  requestBytes(assertion, {
    line: 'GET /ws HTTP/1.1',
    lines: [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      ...lines,
    ],
  })

for (const [what, env] of [
  ['a tunnel', {}],
  ['a tunnel with a limit to its age', { CLAIMGATE_TUNNEL_MAX_AGE: '1h' }],
] as const)
  t.test(`${what} keeps neither the assertion nor the fields it was opened with`, async (t) => {
    const upstream = await rawUpstream(
      (socket) => void socket.once('data', () => socket.write(SWITCHING)),
    )
    t.teardown(() => upstream.close())
    const issuer = await startIssuer(t)
    const program = await startProgram(t, {
      env: { ...issuer.env, ...env, CLAIMGATE_UPSTREAM: `http://127.0.0.1:${upstream.port}` },
      nodeArguments: ['--import', SEARCH],
    })
    await program.untilReady()
    const clients = await Promise.all(
      Array.from({ length: TUNNELS }, async (_, index) => {
        const client = await rawClient(program.port)
        t.teardown(() => client.socket.destroy())
        client.send(handshake(issuer.assertion(), [`Cookie: a=marked-text-${index}`]))
        await client.until('\r\n\r\n')
        return client
      }),
    )
    t.equal(upstream.received().filter((text) => text.includes('marked-text-')).length, TUNNELS)
    const found = () => /^in memory: (\d+) (\d+)$/m.exec(program.output())
    program.child.kill('SIGUSR2')
    await until(() => found() !== null, 'search', 30_000)
    const [, assertions, fields] = found() ?? []
    // One may be left in what was read last.
    t.ok(Number(assertions) <= 1, `${assertions} assertions`)
    t.ok(Number(fields) <= 1, `${fields} fields`)
    t.ok(clients.every(({ socket }) => !socket.destroyed))
  })
