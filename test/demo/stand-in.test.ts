import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { createSigningKey } from '../../src/demo/signing-key.ts'
import { createStandIn } from '../../src/demo/stand-in.ts'

const LOOPBACK = { host: '127.0.0.1', port: 0 }

const startUpstream = async (t: Test, listener: RequestListener) => {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

const startStandIn = async (t: Test, upstreamPort: number) => {
  const signingKey = await createSigningKey()
  const standIn = createStandIn({ signingKey })
  t.teardown(standIn.close)
  standIn.addRoute({
    hosts: ['localhost', '127.0.0.1'],
    upstream: new URL(`http://127.0.0.1:${upstreamPort}`),
  })
  const { port } = await standIn.listen(LOOPBACK)
  return { standIn, signingKey, port, origin: `http://127.0.0.1:${port}` }
}

/** Answers with the raw header lines it received. */
const echoHeaders: RequestListener = (request, response) => {
  response.end(JSON.stringify(request.rawHeaders))
}

const openSocket = async (t: Test, port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

const readUntil = async (socket: Socket, wanted: string): Promise<string> => {
  let text = ''
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1')
    if (text.includes(wanted)) break
  }
  return text
}

t.test('the key set is served as Pomerium serves it', async (t) => {
  const { port } = await startUpstream(t, echoHeaders)
  const { origin, signingKey } = await startStandIn(t, port)
  const url = `${origin}/.well-known/pomerium/jwks.json`
  const first = await fetch(url)
  t.equal(first.status, 200)
  t.equal(first.headers.get('cache-control'), 'max-age=60')
  t.equal(first.headers.get('content-type'), 'application/json')
  const etag = first.headers.get('etag') ?? ''
  t.match(etag, /^"[0-9a-f]+"$/)
  t.strictSame(await first.json(), signingKey.jwks)
  const second = await fetch(url, { headers: { 'if-none-match': etag } })
  t.equal(second.status, 304)
  t.equal(await second.text(), '')
  t.equal((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status, 200)
  t.equal((await fetch(url, { method: 'POST' })).status, 405)
})

t.test('a visitor without the cookie is sent to the sign-in page', async (t) => {
  const { port } = await startUpstream(t, echoHeaders)
  const { origin } = await startStandIn(t, port)
  const answer = await fetch(origin, { redirect: 'manual' })
  t.equal(answer.status, 302)
  t.equal(answer.headers.get('location'), '/.pomerium/sign_in')
  const page = await (await fetch(`${origin}/.pomerium/sign_in`)).text()
  t.match(page, /href="\/\.pomerium\/sign_in\?user=ana"/)
  t.match(page, /href="\/\.pomerium\/sign_in\?user=bob"/)
  t.match(page, /not Pomerium/)
})

t.test('signing in and out sets and clears the cookie', async (t) => {
  const { port } = await startUpstream(t, echoHeaders)
  const { origin } = await startStandIn(t, port)
  const manual = { redirect: 'manual' } as const
  const signedIn = await fetch(`${origin}/.pomerium/sign_in?user=bob`, manual)
  t.equal(signedIn.status, 302)
  t.match(signedIn.headers.get('set-cookie'), /^demo_user=bob; Path=\/; HttpOnly/)
  const signedOut = await fetch(`${origin}/.pomerium/sign_out`, manual)
  t.match(signedOut.headers.get('set-cookie'), /^demo_user=; Max-Age=0/)
  t.equal((await fetch(`${origin}/.pomerium/sign_in?user=carol`, manual)).status, 404)
})

t.test('every request goes on with a fresh assertion that verifies', async (t) => {
  const { port } = await startUpstream(t, echoHeaders)
  const { origin, signingKey } = await startStandIn(t, port)
  const send = async () => {
    const answer = await fetch(`${origin}/path?q=1`, { headers: { cookie: 'demo_user=bob' } })
    const raw = (await answer.json()) as string[]
    const token = raw[raw.indexOf('X-Pomerium-Jwt-Assertion') + 1] ?? ''
    return { raw, payload: (await verify(token)).payload }
  }
  const verify = (token: string) =>
    jwtVerify(token, createLocalJWKSet(signingKey.jwks), {
      issuer: 'localhost',
      audience: 'localhost',
    })
  const [first, second] = [await send(), await send()]
  t.equal(first.payload['email'], 'bob@example.com')
  t.not(first.payload.jti, second.payload.jti)
  t.equal(first.payload['sid'], second.payload['sid'])
  t.ok(first.raw.includes(new URL(origin).host), 'Host is kept')
  t.notOk(first.raw.join().includes('demo_user'), 'its own cookie stays here')
})

t.test('mint gives the assertion that a request would carry', async (t) => {
  const { port } = await startUpstream(t, echoHeaders)
  const { standIn, signingKey } = await startStandIn(t, port)
  const keys = createLocalJWKSet(signingKey.jwks)
  const { payload } = await jwtVerify(await standIn.mint('other.example.com', undefined), keys)
  t.match(payload, { iss: 'other.example.com', aud: 'other.example.com', sub: '', sid: '' })
})

t.test('a Host without a route gets 404, and the key set all the same', async (t) => {
  const { port } = await startUpstream(t, echoHeaders)
  const standIn = await startStandIn(t, port)
  for (const [path, status] of [
    ['/', 404],
    ['/.well-known/pomerium/jwks.json', 200],
  ] as const) {
    const socket = await openSocket(t, standIn.port)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: pomerium\r\nConnection: close\r\n\r\n`)
    t.match(await readUntil(socket, '\r\n\r\n'), `HTTP/1.1 ${status} `)
  }
})

t.test('method, target and body reach the upstream, status and headers the client', async (t) => {
  const { port } = await startUpstream(t, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    response.writeHead(418, [
      'X-Seen',
      `${request.method} ${request.url}`,
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
    ])
    response.end(Buffer.concat(chunks))
  })
  const { origin } = await startStandIn(t, port)
  const answer = await fetch(`${origin}/a//b?c`, {
    method: 'PUT',
    body: 'the body',
    headers: { cookie: 'demo_user=ana' },
  })
  t.equal(answer.status, 418)
  t.equal(answer.headers.get('x-seen'), 'PUT /a//b?c')
  t.strictSame(answer.headers.getSetCookie(), ['a', 'b'])
  t.equal(await answer.text(), 'the body')
})

t.test('an answer streams through while the upstream still writes', async (t) => {
  const { port } = await startUpstream(t, (request, response) => {
    response.write('first')
    request.on('close', () => response.destroy())
  })
  const { origin } = await startStandIn(t, port)
  const answer = await fetch(origin, { headers: { cookie: 'demo_user=ana' } })
  const reader = answer.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  t.equal(Buffer.from(value ?? []).toString('utf8'), 'first')
  await reader?.cancel()
})

t.test('an upstream that is down is a 502', async (t) => {
  const { server, port } = await startUpstream(t, echoHeaders)
  server.close()
  await once(server, 'close')
  const { origin } = await startStandIn(t, port)
  t.equal((await fetch(origin, { headers: { cookie: 'demo_user=ana' } })).status, 502)
})

t.test('an upstream that breaks off breaks the answer, not the stand-in', async (t) => {
  const { port } = await startUpstream(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('some', () => response.destroy())
  })
  const { origin } = await startStandIn(t, port)
  const headers = { cookie: 'demo_user=ana' }
  await t.rejects((await fetch(origin, { headers })).text())
  t.equal((await fetch(`${origin}/.well-known/pomerium/jwks.json`)).status, 200)
})

const UPGRADE = (port: number, cookie: string): string =>
  `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n\r\n`

t.test('an upgrade goes on with an assertion and becomes a tunnel', async (t) => {
  const { server, port } = await startUpstream(t, echoHeaders)
  server.on('upgrade', (request, socket) => {
    const lines = request.rawHeaders.join('|')
    t.match(lines, /X-Pomerium-Jwt-Assertion\|ey/)
    t.match(lines, 'Sec-WebSocket-Protocol|chat')
    t.match(lines, 'Connection|Upgrade|Upgrade|websocket')
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello',
    )
    socket.pipe(socket)
  })
  const standIn = await startStandIn(t, port)
  const socket = await openSocket(t, standIn.port)
  socket.write(`${UPGRADE(standIn.port, 'demo_user=ana')}early`)
  const text = await readUntil(socket, 'early')
  t.match(
    text,
    /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello/,
  )
})

t.test('an upgrade that the upstream refuses is relayed as it is', async (t) => {
  const { server, port } = await startUpstream(t, echoHeaders)
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: no\r\n\r\nno')
  })
  const standIn = await startStandIn(t, port)
  const socket = await openSocket(t, standIn.port)
  socket.write(UPGRADE(standIn.port, 'demo_user=ana'))
  const text = await readUntil(socket, '\r\n\r\nno')
  t.match(text, /^HTTP\/1\.1 403 Forbidden\r\n/)
  t.match(text, 'X-Why: no\r\n')
})

t.test('an upgrade without the cookie is refused, and reset sockets do no harm', async (t) => {
  const { server, port } = await startUpstream(t, echoHeaders)
  server.on('upgrade', (_request, socket) => socket.destroy())
  const standIn = await startStandIn(t, port)
  const unsigned = await openSocket(t, standIn.port)
  unsigned.write(UPGRADE(standIn.port, 'a=b'))
  t.match(
    await readUntil(unsigned, '\r\n\r\n'),
    /^HTTP\/1\.1 302 .*\r\nLocation: \/\.pomerium\/sign_in/s,
  )
  const broken = await openSocket(t, standIn.port)
  broken.write(UPGRADE(standIn.port, 'demo_user=ana'))
  t.match(await readUntil(broken, '\r\n\r\n'), /^HTTP\/1\.1 502 /)
  const reset = await openSocket(t, standIn.port)
  reset.write(UPGRADE(standIn.port, 'demo_user=ana'))
  reset.resetAndDestroy()
  t.equal((await fetch(`${standIn.origin}/.well-known/pomerium/jwks.json`)).status, 200)
})
