import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { createExchange } from '../../src/exchange.ts'
import { createOpenTunnel } from '../../src/proxy/tunnel.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-L: caf\xe9\r\n\r\n'

/** Accepts every handshake and echoes what follows. */
const echoing = () =>
  rawUpstream((socket, received) => {
    let isOpen = false
    socket.on('data', (chunk) => {
      if (isOpen) return void socket.write(chunk)
      if (!received().includes('\r\n\r\n')) return
      isOpen = true
      const early = received().split('\r\n\r\n')[1] ?? ''
      socket.write(SWITCHING + early, 'latin1')
    })
  })

t.test(
  'a good handshake reaches the upstream with its fields and the identity, then bytes flow',
  async (t) => {
    const upstream = await echoing()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    const lines = [
      ...HANDSHAKE,
      'Origin: https://app.example.com',
      'Cookie: a=1',
      'Sec-WebSocket-Protocol: chat, superchat',
      'X_Pomerium_Claim_Email: mallory',
    ]
    client.send(requestBytes(gate.assertion(), { line: 'GET /ws?a=\'"%zz& HTTP/1.1', lines }))
    t.match(
      await client.until('\r\n\r\n'),
      /^HTTP\/1\.1 101 Switching Protocols\r\nSec-WebSocket-Accept: /,
    )
    t.match(client.received(), /X-L: caf\xe9\r\n/)
    client.send('ping')
    await client.until(/ping$/)
    t.equal(
      upstream.received()[0]?.split('\r\n\r\n')[0],
      [
        'GET /ws?a=\'"%zz& HTTP/1.1',
        'Host: app.example.com',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version: 13',
        'Origin: https://app.example.com',
        'Cookie: a=1',
        'Sec-WebSocket-Protocol: chat, superchat',
        'X-Pomerium-Claim-Sub: user-1',
        'X-Pomerium-Claim-Email: ann@example.com',
        'X-Pomerium-Claim-Groups: dev,ops',
        'X-Pomerium-Claim-Name: Ann',
        'Connection: Upgrade',
        'Upgrade: websocket',
      ].join('\r\n'),
    )
    client.socket.destroy()
  },
)

t.test(
  'a handshake without a valid assertion gets 401 as HTTP and the upstream is not dialled',
  async (t) => {
    const upstream = await echoing()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const answer = await exchangeBytes(gate.port, requestBytes(undefined, { lines: HANDSHAKE }))
    t.equal(statusOf(answer), 401)
    t.equal(codeOf(answer), 'ERR_ASSERTION_MISSING')
    const expired = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion({ exp: 1 }), { lines: HANDSHAKE }),
    )
    t.equal(codeOf(expired), 'ERR_ASSERTION_EXPIRED')
    t.equal(upstream.connections(), 0)
  },
)

t.test(
  "the upstream's refusal of a handshake arrives as what it is, and later bytes go nowhere",
  async (t) => {
    const upstream = await rawUpstream((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 403 Forbidden\r\nX-Why: policy\r\nContent-Length: 2\r\n\r\nno'),
      )
    })
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    client.send(
      `${requestBytes(gate.assertion(), { lines: HANDSHAKE })}GET /smuggled HTTP/1.1\r\n\r\n`,
    )
    t.equal(
      await client.untilClose(),
      'HTTP/1.1 403 Forbidden\r\nX-Why: policy\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno',
    )
    t.notMatch(upstream.received().join(''), /smuggled/)
  },
)

t.test('a chunked refusal of a handshake stays whole, a broken one looks broken', async (t) => {
  const upstream = await rawUpstream((socket, received) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
      if (received().includes('/broken')) socket.destroySoon()
      else socket.write('0\r\n\r\n')
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const whole = await exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  t.match(
    whole,
    /\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/,
  )
  const broken = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { line: 'GET /broken HTTP/1.1', lines: HANDSHAKE }),
  )
  t.notMatch(broken, /0\r\n\r\n$/)
})

t.test('bytes sent before the 101 arrive after it, in order', async (t) => {
  const upstream = await echoing()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.send(`${requestBytes(gate.assertion(), { lines: HANDSHAKE })}early`)
  await client.until(/early$/)
  client.send('later')
  t.match(await client.until(/later$/), /\r\n\r\nearlylater$/)
  client.socket.destroy()
})

t.test('bytes sent while the upstream has not answered arrive after its 101', async (t) => {
  const upstream = await rawUpstream((socket, received) => {
    let isOpen = false
    socket.on('data', (chunk) => {
      if (isOpen) return void socket.write(chunk)
      isOpen = received().includes('\r\n\r\n')
      // Not before the client has sent more.
      if (isOpen) wait(100).then(() => socket.write(SWITCHING, 'latin1'))
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  await upstream.until('\r\n\r\n')
  client.send('early')
  t.match(await client.until(/early$/), /^HTTP\/1\.1 101 [\s\S]*\r\n\r\nearly$/)
  t.match(upstream.received()[0], /\r\n\r\nearly$/)
  client.socket.destroy()
})

t.test('of a client that runs far ahead of the 101 no more is read', async (t) => {
  const client = new PassThrough()
  t.teardown(() => client.destroy())
  const openTunnel = createOpenTunnel({
    connect: () => undefined as unknown as Socket,
    config: { upstreamResponseTimeout: undefined, bodyIdleTimeout: 60_000, maxHeaderSize: 16_384 },
    now: () => 0,
  })
  openTunnel({
    client: client as unknown as Socket,
    early: Buffer.alloc(0),
    target: '/',
    headers: ['Host', 'a'],
    exchange: createExchange({ method: 'GET', target: '/' }, 0),
    refuse: () => undefined,
    onOpen: () => undefined,
  })
  client.resume()
  let sent = 0
  while (!client.isPaused() && sent < 1_000) {
    client.write(Buffer.alloc(1024))
    sent++
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(sent < 100, `paused after ${sent} KiB`)
})

t.test('an upstream that is down gives 502, not 101', async (t) => {
  const upstream = await echoing()
  await upstream.close()
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: HANDSHAKE }),
  )
  t.equal(statusOf(answer), 502)
  t.equal(codeOf(answer), 'ERR_UPSTREAM_UNAVAILABLE')
})

t.test('an upstream that upgrades to something else gives 502, and no tunnel', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nhello'),
    )
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: HANDSHAKE }),
  )
  t.equal(statusOf(answer), 502)
  t.equal(codeOf(answer), 'ERR_UPSTREAM_UNAVAILABLE')
  t.notMatch(answer, /hello|101/)
  await gate.gate.drain()
  t.match(
    gate.logLines().filter(({ msg }) => msg === 'request'),
    [{ status: 502, code: 'ERR_UPSTREAM_UNAVAILABLE' }],
  )
})

/** Never answers; says when its connection has ended. */
async function silentUpstream(t: Test) {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const upstream = await rawUpstream((socket) => void socket.once('close', () => resolve()))
  t.teardown(() => upstream.close())
  return { upstream, ended }
}

t.test('a client that goes away during its handshake ends it at the upstream', async (t) => {
  const { upstream, ended } = await silentUpstream(t)
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  await upstream.until('\r\n\r\n')
  client.socket.destroy()
  await ended
  t.pass('the upstream connection ended')
})

t.test('a handshake that the upstream does not answer in time gives 504, once', async (t) => {
  const { upstream, ended } = await silentUpstream(t)
  const gate = await startClaimgate(t, upstream.port, { upstreamResponseTimeout: 100 })
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: HANDSHAKE }),
  )
  t.equal(statusOf(answer), 504)
  t.equal(codeOf(answer), 'ERR_UPSTREAM_TIMEOUT')
  await ended
  await gate.gate.drain()
  t.match(
    gate.logLines().filter(({ msg }) => msg === 'request'),
    [{ status: 504, code: 'ERR_UPSTREAM_TIMEOUT', reason: 'HandshakeTimeoutError' }],
  )
})

t.test('a handshake whose connection is not ready in time gives 504', async (t) => {
  const { upstream } = await silentUpstream(t)
  const gate = await startClaimgate(t, upstream.port, {
    // TLS is never agreed with an upstream that says nothing.
    upstream: { protocol: 'https:', hostname: '127.0.0.1', port: upstream.port },
    upstreamConnectTimeout: 100,
  })
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: HANDSHAKE }),
  )
  t.equal(statusOf(answer), 504)
})

t.test('interim answers to a handshake arrive before the 101', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () =>
      socket.write(`HTTP/1.1 103 Hint\r\nX: y\r\n\r\n${SWITCHING}`, 'latin1'),
    )
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  t.match(
    await client.until(/101[\s\S]*\r\n\r\n/),
    /^HTTP\/1\.1 103 Hint\r\nX: y\r\n\r\nHTTP\/1\.1 101 /,
  )
  client.socket.destroy()
})

t.test('an answer to a handshake with a larger head than allowed gives 502', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () =>
      socket.write(SWITCHING.replace('X-L: ', `X-L: ${'x'.repeat(20_000)}`), 'latin1'),
    )
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { maxHeaderSize: 16_384 })
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: HANDSHAKE }),
  )
  t.equal(statusOf(answer), 502)
})

const MALFORMED: readonly [string, string, readonly string[], string][] = [
  ['POST', 'POST /t HTTP/1.1', HANDSHAKE, ''],
  ['a body', 'GET /t HTTP/1.1', [...HANDSHAKE, 'Content-Length: 4'], 'body'],
  ['HTTP/1.0', 'GET /t HTTP/1.0', HANDSHAKE, ''],
]
for (const [name, line, lines, body] of MALFORMED)
  t.test(`a websocket handshake with ${name} is refused and nothing is forwarded`, async (t) => {
    const upstream = await echoing()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const answer = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), { line, lines, body }),
    )
    t.equal(statusOf(answer), 400)
    t.equal(upstream.connections(), 0)
  })

for (const upgrade of ['h2c', 'TLS/1.0', 'foo', 'websocket, h2c'])
  t.test(`Upgrade: ${upgrade} is ignored and the request goes on as a plain one`, async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const lines = [
      `Upgrade: ${upgrade}`,
      'Connection: Upgrade, HTTP2-Settings, close',
      'HTTP2-Settings: AAA',
    ]
    const answer = await exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines }))
    t.equal(statusOf(answer), 200)
    t.notMatch(upstream.received()[0], /upgrade|http2-settings/i)
  })

t.test('a handshake behind an unanswered request opens no tunnel', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(undefined) + requestBytes(gate.assertion(), { lines: HANDSHAKE }),
  )
  t.same(answer.match(/HTTP\/1\.1 (\d+)/g), ['HTTP/1.1 401', 'HTTP/1.1 400'])
  t.equal(upstream.connections(), 0)
})

t.test('when either side ends, so does the other, and what was sent arrives', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () => {
      socket.write(`${SWITCHING}bye`, 'latin1')
      socket.end()
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: HANDSHAKE }),
  )
  t.match(answer, /\r\n\r\nbye$/)
})

t.test('a real WebSocket client and server talk through it', async (t) => {
  const { port, seen } = await webSocketApp(t)
  const gate = await startClaimgate(t, port)
  const socket = new WebSocket(`ws://127.0.0.1:${gate.port}/echo`, ['chat'], {
    headers: {
      'X-Pomerium-Jwt-Assertion': gate.assertion(),
      Origin: 'https://app.example.com',
      Cookie: 'a=1',
    },
  })
  await once(socket, 'open')
  t.equal(socket.protocol, 'chat')
  const big = 'x'.repeat(300_000)
  socket.send(big)
  const [echoed] = await once(socket, 'message')
  t.equal(String(echoed), big)
  t.equal(seen.headers?.['x-pomerium-claim-email'], 'ann@example.com')
  t.equal(seen.headers?.['origin'], 'https://app.example.com')
  t.equal(seen.headers?.['cookie'], 'a=1')
  socket.close(4001, 'done')
  const [code] = await once(socket, 'close')
  t.equal(code, 4001)
})

t.test('draining closes an open WebSocket with 1001, to both sides', async (t) => {
  const { port, seen } = await webSocketApp(t)
  const gate = await startClaimgate(t, port)
  const socket = new WebSocket(`ws://127.0.0.1:${gate.port}/echo`, ['chat'], {
    headers: { 'X-Pomerium-Jwt-Assertion': gate.assertion() },
  })
  await once(socket, 'open')
  const closed = once(socket, 'close')
  await gate.gate.drain()
  const [code] = await closed
  t.equal(code, 1001)
  t.equal(await seen.closedWith, 1001, 'the app sees it too')
})

async function webSocketApp(t: Test) {
  const seen: { headers?: Record<string, unknown>; closedWith?: Promise<number> } = {}
  const http = createServer()
  const server = new WebSocketServer({ server: http })
  server.on('connection', (socket, request) => {
    seen.headers = request.headers
    seen.closedWith = once(socket, 'close').then(([code]) => code)
    socket.on('error', () => undefined)
    socket.on('message', (data) => socket.send(String(data)))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(() => {
    for (const client of server.clients) client.terminate()
    http.close()
  })
  return { port: (http.address() as AddressInfo).port, seen }
}
