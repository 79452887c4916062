// The body of a request on its way to the upstream, over sockets, and what becomes of the connection afterwards.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createExchange, type Exchange } from '../../src/exchange.ts'
import { createConnect } from '../../src/proxy/connector.ts'
import { createForward } from '../../src/proxy/forward.ts'
import { createUpstreamPool } from '../../src/proxy/upstream.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { OK, type RawUpstream, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const NO_TLS = { ca: undefined, serverName: undefined, cert: undefined, key: undefined }
const PIECE = Buffer.alloc(16 * 1024, 'x')
const CHUNK = Buffer.from(`4000\r\n${PIECE}\r\n`)
const HEAD = 'POST /first HTTP/1.1\r\nHost: a\r\n'

/** A server that forwards all it gets, and shows its side of it. */
async function stage(t: Test, script: Script, upstreamResponseTimeout?: number) {
  const requests: IncomingMessage[] = []
  const exchanges: Exchange[] = []
  const sockets: Socket[] = []
  const upstream = await rawUpstream((socket, received) => {
    sockets.push(socket)
    script(socket, received)
  })
  const address = { protocol: 'http:', hostname: '127.0.0.1', port: upstream.port } as const
  const now = () => performance.now()
  const connection = { upstreamResponseTimeout, maxHeaderSize: 16_384 }
  const pool = createUpstreamPool(createConnect(address, NO_TLS, 5_000), connection, now)
  const forward = createForward({ pool, config: { bodyIdleTimeout: 60_000 }, now })
  const server = createServer((request, response) => {
    const exchange = createExchange({ method: request.method ?? '', target: '/' }, 0)
    requests.push(request)
    exchanges.push(exchange)
    forward({
      request,
      response,
      target: request.url ?? '',
      headers: request.rawHeaders,
      exchange,
      refuse: ({ status, reason }) => response.writeHead(status, { reason }).end(),
      whenEnded(then) {
        response.removeAllListeners('close')
        if (then !== undefined) response.on('close', then)
      },
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = await rawClient((server.address() as AddressInfo).port)
  t.teardown(async () => {
    pool.close()
    client.socket.destroy()
    server.close()
    await upstream.close()
  })
  return { client, upstream, requests, exchanges, sockets }
}

type Stage = Awaited<ReturnType<typeof stage>>

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await turn()
  }
}

/** Sends pieces, one when the last was read, until the upstream has taken all that it will. */
async function fill({ client, requests }: Stage, piece: Buffer): Promise<number> {
  await until(() => requests[0]?.listenerCount('data') === 1)
  const [request] = requests
  let read = 0
  request?.on('data', (data: Buffer) => {
    read += data.length
  })
  let pieces = 0
  while (request?.isPaused() === false) {
    pieces++
    client.send(piece)
    await until(() => request.isPaused() || read === pieces * PIECE.length)
  }
  return pieces
}

const bodyOf = (upstream: RawUpstream) =>
  (upstream.received()[0] ?? '').replace(/^[\s\S]*?\r\n\r\n/, '')

const paused: Script = (socket) => void socket.pause()

t.test('a body with a length arrives byte by byte as it was sent', async (t) => {
  const { client, upstream } = await stage(t, () => undefined)
  const body = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
  client.send(`${HEAD}Content-Length: 256\r\n\r\n${body.slice(0, 100)}`)
  await upstream.until(body.slice(0, 100))
  client.send(body.slice(100))
  t.equal((await upstream.until(body)).endsWith(`\r\n\r\n${body}`), true)
})

t.test('a chunked body arrives in chunks, and its end when it ends', async (t) => {
  const { client, upstream } = await stage(t, () => undefined)
  client.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n3;a=b\r\na\xffb\r\n`)
  await upstream.until('3\r\na\xffb\r\n')
  client.send('1\r\nx\r\n')
  await upstream.until('1\r\nx\r\n')
  client.send('0\r\nTrailer: a\r\n\r\n')
  await upstream.until(/0\r\n\r\n$/)
  t.equal(bodyOf(upstream), '3\r\na\xffb\r\n1\r\nx\r\n0\r\n\r\n')
})

t.test('a chunk says its length in hexadecimal digits', async (t) => {
  const { client, upstream } = await stage(t, () => undefined)
  const chunk = `1a\r\n${'z'.repeat(26)}\r\n`
  client.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk}`)
  await upstream.until(chunk)
  t.equal(bodyOf(upstream), chunk)
})

t.test('an answer of any length arrives byte by byte as it was sent', async (t) => {
  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
  const sizes = [1, 256, 16 * 1024, 16 * 1024 + 1, 1_000_000]
  const body = (size: number) => bytes.repeat(Math.ceil(size / 256)).slice(-size)
  const { client, exchanges } = await stage(t, (socket) => {
    let answers = 0
    socket.on('data', () => {
      const size = sizes[answers++] ?? 0
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${body(size)}`, 'latin1')
    })
  })
  for (const [i, size] of sizes.entries()) {
    const before = client.received().length
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const answer = await client.until((text) => text.slice(before).endsWith(body(size)))
    t.equal(answer.slice(before).split('\r\n\r\n')[0]?.includes(`Length: ${size}`), true)
    t.equal(exchanges[i]?.bytes, size)
  }
})

for (const [framing, piece] of [
  ['Content-Length: 1000000000', PIECE],
  ['Transfer-Encoding: chunked', CHUNK],
] as const)
  t.test(`a body is read as fast as the upstream takes it (${framing})`, async (t) => {
    const all = await stage(t, paused)
    const { client, sockets, requests } = all
    client.send(`${HEAD}${framing}\r\n\r\n`)
    const pieces = await fill(all, piece)
    let arrived = 0
    sockets[0]?.on('data', (data: Buffer) => {
      arrived += data.toString('latin1').split('x').length - 1
    })
    sockets[0]?.resume()
    await until(() => requests[0]?.isPaused() === false)
    client.send(piece)
    await until(() => arrived === (pieces + 1) * PIECE.length)
    t.pass('all of it arrived, and what was sent later')
  })

t.test('a client that reads slowly is sent no more than it takes', async (t) => {
  let sent = 0
  const all = await stage(t, (socket) => {
    const more = () => {
      while (sent < 4_000 && socket.write(PIECE)) sent++
    }
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.on('drain', more)
      more()
    })
  })
  const { client, sockets, exchanges } = all
  client.socket.pause()
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => sockets[0]?.writableNeedDrain === true)
  const before = exchanges[0]?.bytes ?? 0
  for (let i = 0; i < 1_000; i++) await turn()
  t.equal(sockets[0]?.writableNeedDrain, true, `after ${before} bytes`)
  t.ok(sent < 1_000, `${sent} pieces`)
  client.socket.resume()
  await until(() => sent === 4_000)
})

for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked'])
  t.test(`a body that its client breaks off never looks whole (${framing})`, async (t) => {
    for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const { client, upstream, sockets } = await stage(t, () => undefined)
      client.send(`${HEAD}${framing}\r\n\r\n5\r\nabcde\r\n`.slice(0, -2))
      await upstream.until(/abcd/)
      const closed = once(sockets[0] as Socket, 'close')
      client.socket[end]()
      await closed
      t.ok(bodyOf(upstream).length < 11, `${end}: ${JSON.stringify(bodyOf(upstream))}`)
      t.notMatch(bodyOf(upstream), /0\r\n\r\n$/, end)
    }
  })

t.test('an answer may come while the body is on its way, and both go on', async (t) => {
  const { client, upstream, sockets } = await stage(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab'))
  })
  client.send(`${HEAD}Content-Length: 4\r\n\r\n12`)
  t.match(await client.until(/ab$/), /\r\nConnection: close\r\n/)
  client.send('34')
  await upstream.until('1234')
  sockets[0]?.write('cd')
  t.match(await client.untilClose(), /\r\n\r\nabcd$/)
})

t.test('what is left of a body is not the beginning of the next request', async (t) => {
  const all = await stage(t, paused)
  const { client, requests, sockets, upstream } = all
  client.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
  await fill(all, CHUNK)
  client.send('2\r\nok\r\n0\r\n\r\n')
  await until(() => requests[0]?.complete === true)
  const closed = once(sockets[0] as Socket, 'close')
  sockets[0]?.write('HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno')
  t.match(await client.until(/no$/), /^HTTP\/1\.1 413 Large\r\n/)
  client.send('GET /second HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => requests.length === 2)
  sockets[0]?.resume()
  await closed
  await until(() => sockets.length === 2)
  sockets[1]?.resume()
  await upstream.until('/second')
  t.notMatch(upstream.received()[0], '/second')
  t.notMatch(upstream.received()[0], /0\r\n\r\n$/)
})

t.test('after an answer that its client did not take at once the next one is read', async (t) => {
  const all = await stage(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      socket.on('data', () => socket.write(OK))
    })
  })
  const { client, requests, sockets, exchanges, upstream } = all
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  client.socket.pause()
  client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => exchanges[0]?.status === 200)
  // Until one piece more is too much.
  const room = () => {
    const socket = requests[0]?.socket
    return (socket?.writableHighWaterMark ?? 0) - (socket?.writableLength ?? 0)
  }
  for (let sent = PIECE.length; room() > PIECE.length; sent += PIECE.length) {
    sockets[0]?.write(CHUNK)
    await until(() => exchanges[0]?.bytes === sent)
  }
  // What is too much comes together with the end.
  sockets[0]?.write(`${CHUNK}${'1\r\ny\r\n'.repeat(20)}0\r\n\r\n`)
  await until(() => requests[0]?.socket.writableNeedDrain === true)
  client.socket.resume()
  await client.until(/y\r\n0\r\n\r\n$/)
  client.send('GET /second HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.until(/\r\n\r\nok$/)
  t.equal(upstream.connections(), 1)
  await turn()
  t.same(warnings, [])
})
