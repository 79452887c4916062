// A client that does not take in its answer must cost neither memory nor, for ever, a connection.
import type { Socket } from 'node:net'
import { mock } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { endSlowReaders } from '../../src/proxy/slow-readers.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { rawUpstream, type Script } from '../helpers/raw-upstream.ts'
import { open } from '../helpers/transport.ts'

const MIB = 1024 * 1024

/** Not `once` of node:events, which fails on an error: a reset is what is waited for here. */
const event = (socket: Socket, name: string): Promise<void> =>
  new Promise((resolve) => {
    socket.once(name, () => resolve())
  })

/** Sends a body of `total` bytes as fast as it is taken. */
const large =
  (total: number): Script =>
  (socket) => {
    socket.once('data', async () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      const piece = Buffer.alloc(64 * 1024)
      for (let left = total; left > 0 && !socket.destroyed; left -= piece.length)
        if (!socket.write(piece))
          await Promise.race([event(socket, 'drain'), event(socket, 'close')])
    })
  }

t.test('a client that never reads is ended, and the upstream with it', async (t) => {
  let upstreamClosed: Promise<unknown> | undefined
  const upstream = await rawUpstream((socket, received) => {
    upstreamClosed = event(socket, 'close')
    large(256 * MIB)(socket, received)
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { bodyIdleTimeout: 300 })
  const client = await rawClient(gate.port)
  client.socket.pause()
  const before = process.memoryUsage().rss
  client.send(requestBytes(gate.assertion()))
  await upstream.until('\r\n\r\n')
  await upstreamClosed
  const grown = Math.round((process.memoryUsage().rss - before) / MIB)
  t.comment(`rss grew by ${grown} MiB`)
  t.ok(grown < 64, `${grown} MiB`)
  const line = gate.logLines().find(({ msg }) => msg === 'request')
  t.match(line, { status: 200, aborted: true })
  client.socket.destroy()
})

t.test('a client that reads slowly gets all', async (t) => {
  const total = 16 * MIB
  const upstream = await rawUpstream(large(total))
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { bodyIdleTimeout: 300 })
  const { socket } = open(gate.port)
  socket.write(requestBytes(gate.assertion(), { lines: ['Connection: close'] }))
  const started = performance.now()
  let received = 0
  socket.on('end', () => socket.destroy())
  while (!socket.destroyed) {
    await wait(8)
    // More than a hundred reads, so that it takes longer than the limit however fast the machine is.
    const most = Math.min(160 * 1024, socket.readableLength)
    received += socket.read(most > 0 ? most : undefined)?.length ?? 0
  }
  t.ok(received > total, `${received} bytes of ${total}`)
  t.ok(performance.now() - started > 600, 'it took longer than the limit')
})

t.test('a refusal that is not read holds no connection', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { bodyIdleTimeout: 300 })
  const client = await rawClient(gate.port)
  client.socket.pause()
  client.send(requestBytes(undefined).repeat(40_000))
  const both = sockets()
  const deadline = performance.now() + 10_000
  while (sockets() === both && performance.now() < deadline) await wait(20)
  t.equal(sockets(), both - 1, 'the end on the side of claimgate is closed')
  t.ok(gate.logLines().length < 40_000, `${gate.logLines().length} lines in the log`)
  client.socket.destroy()
})

const sockets = () =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

t.test('a client that does not read is ended although it goes on sending', async (t) => {
  let upstreamClosed: Promise<unknown> | undefined
  const upstream = await rawUpstream((socket, received) => {
    upstreamClosed = event(socket, 'close')
    large(64 * MIB)(socket, received)
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { bodyIdleTimeout: 300 })
  const client = await rawClient(gate.port)
  client.socket.pause()
  client.send(`${requestBytes(gate.assertion())}GET / HTTP/1.1\r\nX: `)
  const drip = setInterval(() => client.send('x'), 20)
  t.teardown(() => clearInterval(drip))
  await upstream.until('\r\n\r\n')
  await upstreamClosed
  client.socket.destroy()
  t.equal(upstream.connections(), 1)
})

t.test('many are ended, some in each turn of the loop', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  let ended = 0
  let now = 0
  const stuck = Array.from({ length: 50 }, () => ({
    writableLength: 10,
    bytesWritten: 10,
    destroy: () => void ended++,
  }))
  const end = endSlowReaders(new Set(stuck) as unknown as Set<Socket>, 4, () => now)
  t.teardown(end)
  mock.timers.tick(1)
  t.equal(ended, 0, 'seen for the first time')
  now = 4
  mock.timers.tick(1)
  const byTurn = [ended]
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    byTurn.push(ended)
  }
  t.same(byTurn, [20, 40, 50, 50])
})

t.test('a stream of events may be silent for longer than any limit', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n')
      setTimeout(() => socket.end('data: 2\n\n'), 900)
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, {
    bodyIdleTimeout: 200,
    headerTimeout: 200,
    keepAliveTimeout: 200,
  })
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  t.match(await client.until('data: 2'), /data: 1[\s\S]*data: 2/)
})
