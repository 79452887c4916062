import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createConnect } from '../../src/proxy/connector.ts'
import { createUpstreamPool, type Lease } from '../../src/proxy/upstream.ts'
import { OK, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const NO_TLS = { ca: undefined, serverName: undefined, cert: undefined, key: undefined }
const ALWAYS = Number.POSITIVE_INFINITY

/** A pool before an upstream, with a clock that the test sets. */
async function poolOf(t: Test, script?: Script) {
  const upstream = await rawUpstream(script)
  t.teardown(() => upstream.close())
  const address = { protocol: 'http:', hostname: '127.0.0.1', port: upstream.port } as const
  let time = 0
  const pool = createUpstreamPool(
    createConnect(address, NO_TLS, 5_000),
    { upstreamResponseTimeout: undefined, maxHeaderSize: 1_000 },
    () => time,
  )
  t.teardown(() => pool.close())
  return { upstream, pool, advance: (by: number) => (time += by) }
}

async function ask({ client }: Lease, path = '/'): Promise<string> {
  const { body } = await client.request({ path, method: 'GET' })
  return body.text()
}

t.test('a connection given back is lent again, and says that it was used', async (t) => {
  const { upstream, pool } = await poolOf(t)
  const first = pool.lease(ALWAYS)
  t.equal(first.isReused(), false)
  t.equal(await ask(first), 'ok')
  first.release()
  const second = pool.lease(ALWAYS)
  t.equal(second.client, first.client)
  t.equal(second.isReused(), true)
  t.equal(await ask(second), 'ok')
  t.equal(upstream.connections(), 1)
  second.destroy()
})

t.test('a connection is lent to one request at a time', async (t) => {
  const { upstream, pool } = await poolOf(t)
  const first = pool.lease(ALWAYS)
  await ask(first)
  first.release()
  const [second, third] = [pool.lease(ALWAYS), pool.lease(ALWAYS)]
  t.not(second.client, third.client)
  await Promise.all([ask(second), ask(third)])
  t.equal(upstream.connections(), 2)
  second.destroy()
  third.destroy()
})

t.test('a connection is fresh until it has been idle for as long as is allowed', async (t) => {
  const { pool, advance } = await poolOf(t)
  const first = pool.lease(1_000)
  await ask(first)
  first.release()
  advance(1_000)
  const late = pool.lease(1_000)
  t.not(late.client, first.client)
  t.equal(late.isReused(), false)
  late.destroy()
  t.not(pool.lease(0).client, first.client, 'none is fresh enough for 0')
  const other = pool.lease(1_001)
  t.equal(other.client, first.client)
  other.destroy()
})

t.test('a connection that the upstream has ended is not lent', async (t) => {
  const { pool } = await poolOf(t, (socket) => {
    socket.once('data', () => socket.end(OK))
  })
  const first = pool.lease(ALWAYS)
  const gone = once(first.client, 'disconnect')
  await ask(first)
  first.release()
  await gone
  const second = pool.lease(ALWAYS)
  t.not(second.client, first.client)
  t.equal(first.client.destroyed, true)
  second.destroy()
})

t.test('the end of the pool ends what is idle, and what is lent when it comes back', async (t) => {
  const { pool } = await poolOf(t)
  const [idle, lent] = [pool.lease(ALWAYS), pool.lease(ALWAYS)]
  await Promise.all([ask(idle), ask(lent)])
  idle.release()
  pool.close()
  t.equal(idle.client.destroyed, true)
  t.equal(lent.client.destroyed, false)
  lent.release()
  t.equal(lent.client.destroyed, true)
})

t.test('an answer with a larger head than allowed is none', async (t) => {
  const { pool } = await poolOf(t, (socket) => {
    socket.once('data', () =>
      socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1_500)}\r\nContent-Length: 0\r\n\r\n`),
    )
  })
  const lease = pool.lease(ALWAYS)
  await t.rejects(ask(lease), { code: 'UND_ERR_HEADERS_OVERFLOW' })
  lease.destroy()
})

t.test('an answer may pause for as long as it likes', async (t) => {
  const { pool } = await poolOf(t, (socket) => {
    socket.once('data', async () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
      // The timers of undici are late by up to a second.
      await wait(1_500)
      socket.write('k')
    })
  })
  const lease = pool.lease(ALWAYS)
  t.equal(await ask(lease), 'ok')
  lease.destroy()
})
