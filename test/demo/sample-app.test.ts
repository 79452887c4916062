import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { createSampleApp } from '../../src/demo/sample-app.ts'

const start = async (t: Test): Promise<number> => {
  const app = createSampleApp()
  t.teardown(app.close)
  return (await app.listen({ host: '127.0.0.1', port: 0 })).port
}

const nextMessage = async (socket: WebSocket): Promise<string> => {
  const [data] = await once(socket, 'message')
  return String(data)
}

t.test('JSON shows the headers as they came, and those that name the user apart', async (t) => {
  const port = await start(t)
  const answer = await fetch(`http://127.0.0.1:${port}/some/path?q`, {
    headers: {
      'X-WEBAUTH-USER': 'ana@example.com',
      X_Pomerium_Claim_Email: 'forged',
      other: 'thing',
    },
  })
  t.equal(answer.headers.get('content-type'), 'application/json')
  const body = (await answer.json()) as { identity: unknown; headers: Record<string, string> }
  t.match(body, { method: 'GET', path: '/some/path?q', headers: { other: 'thing' } })
  t.strictSame(body.identity, {
    'X-WEBAUTH-USER': 'ana@example.com',
    X_Pomerium_Claim_Email: 'forged',
  })
})

t.test('header bytes are shown as UTF-8, and a name sent twice with both values', async (t) => {
  const socket = connect(await start(t), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.end(
    Buffer.from('GET / HTTP/1.1\r\nHost: h\r\nX-WEBAUTH-NAME: Ana Kovač\r\nA: 1\r\nA: 2\r\n\r\n'),
  )
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  t.match(answer, '"X-WEBAUTH-NAME": "Ana Kovač"')
  t.match(answer, '"A": "1, 2"')
})

t.test('a browser gets a page in which header values are escaped', async (t) => {
  const port = await start(t)
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { accept: 'text/html,*/*', 'x-webauth-user': '<script>alert(1)</script>' },
  })
  t.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  t.match(answer.headers.get('content-security-policy'), /^default-src 'none'; /)
  const page = await answer.text()
  t.match(page, '&lt;script&gt;alert(1)&lt;/script&gt;')
  t.notMatch(page, '<script>alert')
})

t.test('a WebSocket starts with the headers of its handshake and then echoes', async (t) => {
  const port = await start(t)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['chat', 'other'], {
    headers: { 'X-WEBAUTH-USER': 'ana@example.com', Origin: 'http://app.example.com' },
  })
  t.teardown(() => socket.terminate())
  t.match(JSON.parse(await nextMessage(socket)), {
    identity: { 'X-WEBAUTH-USER': 'ana@example.com' },
    headers: { Origin: 'http://app.example.com' },
  })
  t.equal(socket.protocol, 'chat')
  for (const message of ['', 'hello', 'x'.repeat(60_000)]) {
    socket.send(message)
    t.equal(await nextMessage(socket), message)
  }
  socket.send(Buffer.from([0, 255]), { binary: true })
  t.strictSame((await once(socket, 'message'))[0], Buffer.from([0, 255]))
  socket.ping('still there?')
  t.equal(String((await once(socket, 'pong'))[0]), 'still there?')
  socket.close(1000)
  t.equal((await once(socket, 'close'))[0], 1000)
})

t.test('a message that is too long closes the WebSocket with 1002', async (t) => {
  const socket = new WebSocket(`ws://127.0.0.1:${await start(t)}/`)
  t.teardown(() => socket.terminate())
  await nextMessage(socket)
  socket.send('x'.repeat(70_000))
  t.equal((await once(socket, 'close'))[0], 1002)
})

t.test('an upgrade to anything but a WebSocket is a 400', async (t) => {
  const socket = connect(await start(t), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n')
  const [chunk] = await once(socket, 'data')
  t.match(String(chunk), /^HTTP\/1\.1 400 /)
})
