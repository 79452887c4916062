import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { answerWith, startJwksServer } from '../helpers/jwks-server.ts'
import { closesSoon, fetchOnce, reasonOf } from './remote-source.ts'

const MIB = 1024 * 1024

t.test('refuses any coding of the body, unread: a bomb never expands', async (t) => {
  const server = await startJwksServer(t)
  const bomb = gzipSync(Buffer.alloc(100 * MIB), { level: 9 })
  const before = process.memoryUsage().rss
  server.answer(answerWith(200, { 'content-encoding': 'gzip' }, bomb))
  t.equal(
    await reasonOf(fetchOnce(server.uri)),
    'the answer has a Content-Encoding, which is not accepted',
  )
  t.ok(process.memoryUsage().rss - before < 20 * MIB)
})

t.test('takes Content-Encoding: identity for what it is', async (t) => {
  const server = await startJwksServer(t)
  server.answer(answerWith(200, { 'content-encoding': 'Identity' }, '{}'))
  t.match(await fetchOnce(server.uri), { kind: 'set', text: '{}' })
})

t.test('a body of 1 MiB is read, one byte more is not', async (t) => {
  const server = await startJwksServer(t)
  server.answer(answerWith(200, {}, ' '.repeat(MIB)))
  t.match(await fetchOnce(server.uri), { kind: 'set', text: ' '.repeat(MIB) })
  server.answer(answerWith(200, {}, ' '.repeat(MIB + 1)))
  t.equal(await reasonOf(fetchOnce(server.uri)), 'the answer is larger than 1 MiB')
})

t.test('an endless body without a length is cut off at the limit', async (t) => {
  const server = await startJwksServer(t)
  let sent = 0
  server.answer((response) => {
    const chunk = Buffer.alloc(64 * 1024, ' ')
    const pump = (): void => {
      while (!response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) break
      }
    }
    response.on('drain', pump)
    pump()
  })
  t.equal(await reasonOf(fetchOnce(server.uri)), 'the answer is larger than 1 MiB')
  await closesSoon(t, server.connections)
  t.ok(sent < 32 * MIB, `${sent} bytes were sent`)
})

t.test('a server that never answers is given up after the timeout', async (t) => {
  const server = await startJwksServer(t)
  server.answer(() => undefined)
  t.equal(
    await reasonOf(fetchOnce(server.uri, { timeout: 50 })),
    'no complete answer in time; see jwks_timeout',
  )
  await closesSoon(t, server.connections)
})

t.test('the timeout is for the whole answer, so a slow drip does not extend it', async (t) => {
  const server = await startJwksServer(t)
  server.answer((response) => {
    const drip = setInterval(() => response.write(' '), 10)
    response.on('close', () => clearInterval(drip))
  })
  const started = performance.now()
  t.equal(
    await reasonOf(fetchOnce(server.uri, { timeout: 200 })),
    'no complete answer in time; see jwks_timeout',
  )
  t.ok(performance.now() - started < 2_000)
  await closesSoon(t, server.connections)
})

t.test('a body that ends early is a failure', async (t) => {
  const server = await startJwksServer(t)
  server.answer((response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{"keys":', () => response.destroy())
  })
  t.equal(await reasonOf(fetchOnce(server.uri)), 'the answer ended early')
})

t.test('a connection that ends without an answer is a failure', async (t) => {
  const server = await startJwksServer(t)
  server.answer((response) => response.destroy())
  t.equal(await reasonOf(fetchOnce(server.uri)), 'the connection broke')
})

t.test('an answer that is not HTTP is a failure that does not quote it', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end('SECRET-2.0-hello\r\n\r\n')
  })
  t.teardown(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const result = await fetchOnce(new URL(`http://127.0.0.1:${port}/`))
  t.equal(
    await reasonOf(result),
    'the answer is not HTTP; check the scheme and port of jwks_uri and jwks_connect',
  )
  t.notMatch(JSON.stringify(result), /SECRET/)
})
