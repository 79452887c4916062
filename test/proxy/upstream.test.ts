import { once } from 'node:events'
import type { Socket } from 'node:net'
import { mock } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createConnect } from '../../src/proxy/connector.ts'
import { createUpstreamPool, type Lease } from '../../src/proxy/upstream.ts'
import { answering, OK, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const NO_TLS = { ca: undefined, serverName: undefined, cert: undefined, key: undefined }
const ALWAYS = Number.POSITIVE_INFINITY

/** A pool before an upstream, with a clock that the test sets. */
async function poolOf(t: Test, script: Script = answering(OK), upstreamResponseTimeout?: number) {
  /** Each resolves when the upstream sees the end of that connection. */
  const ends: Promise<unknown>[] = []
  const upstream = await rawUpstream((socket, received) => {
    ends.push(once(socket, 'close'))
    script(socket, received)
  })
  t.teardown(() => upstream.close())
  const address = { protocol: 'http:', hostname: '127.0.0.1', port: upstream.port } as const
  let time = 0
  const pool = createUpstreamPool(
    createConnect(address, NO_TLS, 5_000),
    { upstreamResponseTimeout, maxHeaderSize: 1_000 },
    () => time,
  )
  t.teardown(() => pool.close())
  return { upstream, pool, ends, advance: (by: number) => (time += by) }
}

/** Resolves with the body of the answer. `after` is told what comes behind the end of it, which nothing should. */
function ask(
  { connection }: Lease,
  after: (error: unknown) => void = () => undefined,
): Promise<string> {
  const head = { method: 'GET', text: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', hasBody: false }
  let text = ''
  return new Promise((resolve, reject) => {
    connection.send(head, {
      onSent: () => undefined,
      onDrain: () => undefined,
      onHead: () => undefined,
      onPause: () => undefined,
      onData: (data) => {
        text += data
      },
      onEnd: (rest) => resolve(`${text}${rest}`),
      onFailure(error) {
        reject(error)
        after(error)
      },
    })
  })
}

t.test('a connection given back is lent again, and says that it was used', async (t) => {
  const { upstream, pool } = await poolOf(t)
  const first = pool.lease(ALWAYS)
  t.equal(first.connection.isReused(), false)
  t.equal(await ask(first), 'ok')
  first.release()
  const second = pool.lease(ALWAYS)
  t.equal(second.connection, first.connection)
  t.equal(second.connection.isReused(), true)
  t.equal(await ask(second), 'ok')
  t.equal(upstream.connections(), 1)
  second.connection.destroy()
})

t.test('a connection is lent to one request at a time', async (t) => {
  const { upstream, pool } = await poolOf(t)
  const first = pool.lease(ALWAYS)
  await ask(first)
  first.release()
  const [second, third] = [pool.lease(ALWAYS), pool.lease(ALWAYS)]
  t.not(second.connection, third.connection)
  await Promise.all([ask(second), ask(third)])
  t.equal(upstream.connections(), 2)
  second.connection.destroy()
  third.connection.destroy()
})

t.test('a connection is fresh until it has been idle for as long as is allowed', async (t) => {
  const { pool, advance } = await poolOf(t)
  const first = pool.lease(1_000)
  await ask(first)
  first.release()
  advance(1_000)
  const late = pool.lease(1_000)
  t.not(late.connection, first.connection)
  t.equal(late.connection.isReused(), false)
  late.connection.destroy()
  t.not(pool.lease(0).connection, first.connection, 'none is fresh enough for 0')
  const other = pool.lease(1_001)
  t.equal(other.connection, first.connection)
  other.connection.destroy()
})

/** Answers each request by its number, and says when the upstream is done with it. */
const inTurn =
  (...answers: readonly string[]): Script =>
  (socket) => {
    let count = 0
    socket.on('data', () => socket.write(answers[count++] ?? OK))
  }

const withLines = (...lines: readonly string[]) =>
  `HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\nContent-Length: 2\r\n\r\nok`

t.test('a connection is lent for no longer than the upstream promises', async (t) => {
  const { pool, advance } = await poolOf(t, inTurn(withLines('Keep-Alive: timeout=2')))
  const first = pool.lease(ALWAYS)
  await ask(first)
  first.release()
  advance(999)
  const second = pool.lease(ALWAYS)
  t.equal(second.connection, first.connection)
  second.release()
  advance(1_000)
  t.not(pool.lease(ALWAYS).connection, first.connection)
})

t.test('a connection is idle since it was given back', async (t) => {
  const { pool, advance } = await poolOf(t)
  advance(10_000)
  const lease = pool.lease(ALWAYS)
  await ask(lease)
  lease.release()
  t.equal(pool.lease(ALWAYS).connection, lease.connection)
})

t.test('a connection that cannot be used again does not stand before those that can', async (t) => {
  for (const how of ['close', 'gone', 'gone before it is given back'] as const) {
    const sockets: Socket[] = []
    const { pool, ends } = await poolOf(t, (socket) => {
      const isLast = sockets.push(socket) === 2 && how === 'close'
      socket.on('data', () => socket.write(isLast ? withLines('Connection: close') : OK))
    })
    const good = pool.lease(ALWAYS)
    await ask(good)
    const bad = pool.lease(ALWAYS)
    await ask(bad)
    good.release()
    if (how !== 'gone before it is given back') bad.release()
    if (how !== 'close') sockets[1]?.destroy()
    // Its end must be known here, too, as soon as it is told.
    if (how !== 'close') while (bad.connection.idleLimit() > 0) await wait(1)
    if (how === 'gone before it is given back') bad.release()
    const next = pool.lease(ALWAYS)
    t.equal(next.connection, good.connection, how)
    next.connection.destroy()
    await Promise.all(ends)
  }
})

t.test('the connection that was used last is used first', async (t) => {
  const { pool } = await poolOf(t)
  const leases = [pool.lease(ALWAYS), pool.lease(ALWAYS)]
  await Promise.all(leases.map((lease) => ask(lease)))
  for (const lease of leases) lease.release()
  t.equal(pool.lease(ALWAYS).connection, leases[1]?.connection)
})

t.test(
  'idle connections are looked through every second, and kept while they may be used',
  async (t) => {
    const { pool, ends, advance } = await poolOf(t)
    const lease = pool.lease(ALWAYS)
    await ask(lease)
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    lease.release()
    advance(3_999)
    mock.timers.tick(1_000)
    const again = pool.lease(ALWAYS)
    t.equal(again.connection, lease.connection)
    again.release()
    mock.timers.tick(1_000)
    advance(4_000)
    mock.timers.tick(1_000)
    mock.timers.reset()
    const end = await Promise.race([ends[0], wait(2_000, 'none')])
    t.not(end, 'none')
  },
)

t.test('a connection that the upstream has ended is not lent', async (t) => {
  const { pool, ends } = await poolOf(t, (socket) => {
    socket.once('data', () => socket.write(OK, () => setImmediate(() => socket.end())))
  })
  const first = pool.lease(ALWAYS)
  await ask(first)
  first.release()
  await ends[0]
  const second = pool.lease(ALWAYS)
  t.not(second.connection, first.connection)
  second.connection.destroy()
})

t.test('the end of the pool ends what is idle, and what is lent when it comes back', async (t) => {
  const { pool, ends } = await poolOf(t)
  const [idle, lent] = [pool.lease(ALWAYS), pool.lease(ALWAYS)]
  await Promise.all([ask(idle), ask(lent)])
  idle.release()
  pool.close()
  await Promise.race(ends)
  t.equal(await ask(lent), 'ok')
  lent.release()
  await Promise.all(ends)
})

t.test('an answer with a larger head than allowed is none', async (t) => {
  const { pool } = await poolOf(t, (socket) => {
    socket.once('data', () =>
      socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1_500)}\r\nContent-Length: 0\r\n\r\n`),
    )
  })
  const lease = pool.lease(ALWAYS)
  await t.rejects(ask(lease), { code: 'ANSWER_HEAD_TOO_LARGE' })
  lease.connection.destroy()
})

t.test('an answer may pause for as long as it likes', async (t) => {
  const { pool } = await poolOf(
    t,
    (socket) => {
      socket.once('data', async () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
        await wait(100)
        socket.write('k')
      })
    },
    30,
  )
  const lease = pool.lease(ALWAYS)
  t.equal(await ask(lease), 'ok')
  lease.connection.destroy()
})

t.test('the head of an answer must come in time, on each request anew', async (t) => {
  const { pool } = await poolOf(
    t,
    (socket) => {
      let requests = 0
      socket.on('data', () => {
        if (++requests < 5) setTimeout(() => socket.write(OK), 30)
      })
    },
    100,
  )
  for (let round = 0; round < 4; round++) {
    const lease = pool.lease(ALWAYS)
    t.equal(await ask(lease), 'ok')
    lease.release()
  }
  await t.rejects(ask(pool.lease(ALWAYS)), { code: 'UPSTREAM_SILENT' })
})

t.test('bytes on an idle connection end it', async (t) => {
  const { pool, ends } = await poolOf(t, (socket) => {
    socket.once('data', () => socket.write(OK, () => setImmediate(() => socket.write(OK))))
  })
  const lease = pool.lease(ALWAYS)
  t.equal(await ask(lease), 'ok')
  lease.release()
  await ends[0]
  t.not(pool.lease(ALWAYS).connection, lease.connection)
})

t.test('connections that have been idle for too long are ended', async (t) => {
  const { pool, ends, advance } = await poolOf(t)
  const lease = pool.lease(ALWAYS)
  await ask(lease)
  lease.release()
  advance(4_000)
  await ends[0]
})

t.test('after the end of an answer its request is told nothing', async (t) => {
  const { pool, ends } = await poolOf(t, (socket) => {
    socket.once('data', () => socket.write(OK, () => setImmediate(() => socket.resetAndDestroy())))
  })
  const lease = pool.lease(ALWAYS)
  const after: unknown[] = []
  await ask(lease, (error) => after.push(error))
  await ends[0]
  // Not given back: whoever has it finds out by asking.
  await t.rejects(ask(lease), { code: /^(UPSTREAM_CLOSED|ECONNRESET)$/ })
  t.same(after, [])
})

t.test('who destroys a connection is told nothing, not even when it was never made', async (t) => {
  const { pool } = await poolOf(t)
  const lease = pool.lease(ALWAYS)
  let told = 'nothing'
  ask(lease, () => {
    told = 'something'
  }).catch(() => undefined)
  lease.connection.destroy()
  await ask(pool.lease(ALWAYS))
  t.equal(told, 'nothing')
})
