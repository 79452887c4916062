import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { createExchange } from '../../src/exchange.ts'
import { splice } from '../../src/proxy/splice.ts'

const MIB = 1024 * 1024
/** An unmasked text frame, `Hi`, as a server sends it. */
const FRAME = Buffer.from([0x81, 0x02, 0x48, 0x69])
const CLOSE_1001 = Buffer.from([0x88, 0x02, 0x03, 0xe9])

/** The two ends of a connection on loopback; each may go on after the other has ended. */
async function pairOf(t: Test) {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [near] = (await once(server, 'connection')) as [Socket]
  server.close()
  t.teardown(() => {
    near.destroy()
    far.destroy()
  })
  far.on('error', () => undefined)
  return { near, far }
}

/** All that has come at the far end. */
function collect(socket: Socket) {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks)
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns > 20_000) throw new Error('the condition never held')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function openTunnel(t: Test, { early = '', head = '' } = {}) {
  const [client, upstream] = [await pairOf(t), await pairOf(t)]
  const faults: Error[] = []
  for (const { near } of [client, upstream]) near.on('error', (error) => faults.push(error))
  const exchange = createExchange({ method: 'GET', target: '/' }, 0)
  const tunnel = splice({
    client: client.near,
    upstream: upstream.near,
    early: Buffer.from(early),
    head: Buffer.from(head),
    exchange,
  })
  return { client, upstream, tunnel, exchange, faults }
}

t.test('what came before the tunnel was open arrives first, on both sides', async (t) => {
  const { client, upstream, exchange } = await openTunnel(t, { early: 'early', head: 'head' })
  const [atClient, atUpstream] = [collect(client.far), collect(upstream.far)]
  client.far.write(' later')
  upstream.far.write(' and more')
  await until(() => atClient().length === 13 && atUpstream().length === 11)
  t.equal(atClient().toString(), 'head and more')
  t.equal(atUpstream().toString(), 'early later')
  t.equal(exchange.bytes, 24)
})

t.test('close() tells both sides, the upstream in a masked frame, and ends them', async (t) => {
  const { client, upstream, tunnel, faults } = await openTunnel(t)
  const [atClient, atUpstream] = [collect(client.far), collect(upstream.far)]
  const ended = Promise.all([once(client.far, 'end'), once(upstream.far, 'end')])
  tunnel.close(1001)
  tunnel.close(1001)
  await ended
  t.same(atClient(), CLOSE_1001)
  const [first, second, ...rest] = atUpstream()
  t.same([first, second], [0x88, 0x82])
  const [m0 = 0, m1 = 0, , , p0 = 0, p1 = 0] = rest
  t.equal(rest.length, 6)
  t.equal(((p0 ^ m0) << 8) | (p1 ^ m1), 1001)
  t.same(faults, [])
})

t.test(
  'the close frame comes behind the frame that is under way, and nothing after it',
  async (t) => {
    const { client, upstream, tunnel, faults } = await openTunnel(t)
    const atClient = collect(client.far)
    const ended = once(client.far, 'end')
    upstream.far.write(FRAME.subarray(0, 3))
    await until(() => atClient().length === 3)
    tunnel.close(1001)
    upstream.far.write(FRAME.subarray(3))
    await until(() => atClient().length > 4)
    upstream.far.write(FRAME)
    await ended
    await until(() => upstream.near.bytesRead === 8)
    t.same(atClient(), Buffer.concat([FRAME, CLOSE_1001]))
    t.same(faults, [])
  },
)

t.test('a frame that never ends does not hold the close up', async (t) => {
  const { client, upstream, tunnel } = await openTunnel(t)
  const atClient = collect(client.far)
  upstream.far.write(FRAME.subarray(0, 3))
  await until(() => atClient().length === 3)
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  tunnel.close(1001)
  // The end of one side asks for a longer wait, which does not take the place of the shorter one.
  upstream.far.end()
  await until(() => client.near.writableEnded)
  mock.timers.tick(999)
  t.equal(client.near.destroyed, false)
  mock.timers.tick(1)
  t.equal(client.near.destroyed, true)
  t.equal(upstream.near.destroyed, true)
})

for (const [ending, other] of [
  ['client', 'upstream'],
  ['upstream', 'client'],
] as const)
  t.test(
    `the end of the ${ending} is told to the ${other}, which has 30 s to end too`,
    async (t) => {
      const sides = await openTunnel(t)
      const atOther = collect(sides[other].far)
      mock.timers.enable({ apis: ['setTimeout'] })
      t.teardown(() => mock.timers.reset())
      const ended = once(sides[other].far, 'end')
      sides[ending].far.end('bye')
      await ended
      t.equal(atOther().toString(), 'bye')
      mock.timers.tick(29_999)
      t.equal(sides[other].near.destroyed, false)
      mock.timers.tick(1)
      t.equal(sides[other].near.destroyed, true)
      t.equal(sides[ending].near.destroyed, true)
    },
  )

for (const [gone, other] of [
  ['client', 'upstream'],
  ['upstream', 'client'],
] as const)
  t.test(`a ${gone} that is reset ends the ${other} at once`, async (t) => {
    const sides = await openTunnel(t)
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    sides[gone].far.resetAndDestroy()
    await until(() => sides[other].near.destroyed)
    t.equal(sides[gone].near.destroyed, true)
  })

for (const [from, to] of [
  ['client', 'upstream'],
  ['upstream', 'client'],
] as const)
  t.test(
    `what the ${to} does not read waits at the ${from}, and arrives when it does`,
    async (t) => {
      const sides = await openTunnel(t)
      const total = 32 * MIB
      sides[from].far.write(Buffer.alloc(total, 'x'))
      await until(() => sides[from].near.isPaused() && sides[to].near.writableNeedDrain)
      const held = sides[to].near.writableLength
      t.ok(held < MIB, `${held} bytes are held`)
      let arrived = 0
      sides[to].far.on('data', (chunk) => {
        arrived += chunk.length
      })
      await until(() => arrived === total)
      t.equal(arrived, total)
    },
  )
