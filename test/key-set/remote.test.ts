import t from 'tap'
import { createRemoteFetch } from '../../src/key-set/remote.ts'
import { answerWith, startJwksServer } from '../helpers/jwks-server.ts'
import { closesSoon, fetchOnce, reasonOf, sourceOf } from './remote-source.ts'

t.test('asks once, plainly, and closes the connection', async (t) => {
  const server = await startJwksServer(t)
  server.answer(
    answerWith(200, { etag: '"e1"', 'cache-control': 'public, max-age=60' }, '{"keys":[]}'),
  )
  t.same(await fetchOnce(new URL('?a=b', server.uri)), {
    kind: 'set',
    text: '{"keys":[]}',
    etag: '"e1"',
    maxAge: 60_000,
  })
  t.same(server.requests, [
    {
      method: 'GET',
      url: '/.well-known/pomerium/jwks.json?a=b',
      serverName: undefined,
      headers: {
        host: `127.0.0.1:${server.port}`,
        accept: 'application/jwk-set+json, application/json',
        'accept-encoding': 'identity',
        'user-agent': 'claimgate',
        connection: 'close',
      },
    },
  ])
  await closesSoon(t, server.connections)
})

t.test('sends the last entity tag and takes 304 for "the same"', async (t) => {
  const server = await startJwksServer(t)
  server.serve({ keys: [] })
  const first = await fetchOnce(server.uri)
  const etag = first.kind === 'set' ? first.etag : undefined
  t.type(etag, 'string')
  t.same(await fetchOnce(server.uri, {}, etag), { kind: 'not-modified', maxAge: 60_000 })
  t.equal(server.requests[1]?.headers['if-none-match'], etag)
})

t.test('304 without an entity tag sent is a failure', async (t) => {
  const server = await startJwksServer(t)
  server.answer(answerWith(304))
  t.equal((await fetchOnce(server.uri)).kind, 'failed')
})

for (const status of [301, 302, 303, 307, 308]) {
  t.test(`does not follow ${status}, and says so`, async (t) => {
    const [server, other] = await Promise.all([startJwksServer(t), startJwksServer(t)])
    server.answer(answerWith(status, { location: String(other.uri) }))
    t.equal(
      await reasonOf(fetchOnce(server.uri)),
      `the answer is a redirect (status ${status}), which is not followed; give the final address in jwks_uri`,
    )
    t.equal(other.requests.length, 0)
  })
}

for (const [status, reason] of [
  [204, 'the answer is status 204'],
  [206, 'the answer is status 206'],
  [403, 'the answer is status 403; the key set must be readable without a login'],
  [404, 'the answer is status 404; check the path of jwks_uri'],
  [502, 'the answer is status 502'],
] as const) {
  t.test(`status ${status} is a failure, and its body is not read`, async (t) => {
    const server = await startJwksServer(t)
    server.answer((response) => response.writeHead(status).flushHeaders())
    t.equal(await reasonOf(fetchOnce(server.uri)), reason)
    await closesSoon(t, server.connections)
  })
}

t.test('hands on Retry-After in seconds', async (t) => {
  const server = await startJwksServer(t)
  server.answer(answerWith(429, { 'retry-after': '7' }))
  t.match(await fetchOnce(server.uri), { kind: 'failed', retryAfter: 7_000 })
})

t.test(
  'a closed port is a failure that names the settings and no address in the summary',
  async (t) => {
    const server = await startJwksServer(t)
    await server.stop()
    t.same(await fetchOnce(server.uri), {
      kind: 'failed',
      reason: `127.0.0.1:${server.port}: the connection is refused; check jwks_uri, or give the address to dial in jwks_connect`,
      summary: 'the connection is refused',
      retryAfter: undefined,
    })
  },
)

t.test('a name that does not exist is a failure that names the settings', async (t) => {
  t.match(
    await reasonOf(fetchOnce(new URL('http://no-such-host.invalid/'))),
    /^(the name cannot be resolved|the address cannot be reached); check jwks_uri, or give/,
  )
})

t.test('bytes that are not UTF-8 are a failure', async (t) => {
  const server = await startJwksServer(t)
  server.answer(answerWith(200, {}, Buffer.from('\ufeff{"keys":[]}', 'utf16le')))
  t.equal(await reasonOf(fetchOnce(server.uri)), 'the answer is not UTF-8 text')
})

t.test('an abort ends the fetch at once', async (t) => {
  const server = await startJwksServer(t)
  const abort = new AbortController()
  server.answer(() => abort.abort())
  const result = createRemoteFetch(sourceOf(server.uri))(undefined, abort.signal)
  t.equal(await reasonOf(result), 'stopped')
  await closesSoon(t, server.connections)
  t.equal(
    await reasonOf(createRemoteFetch(sourceOf(server.uri))(undefined, abort.signal)),
    'stopped',
  )
  t.equal(server.requests.length, 1)
})

t.test('jwks_connect dials elsewhere and keeps the Host', async (t) => {
  const server = await startJwksServer(t)
  server.answer(answerWith(200, {}, '{}'))
  const connect = { host: '127.0.0.1', port: server.port }
  const result = await fetchOnce(new URL('http://grafana.example.test/jwks'), { connect })
  t.equal(result.kind, 'set')
  t.equal(server.requests[0]?.headers.host, 'grafana.example.test')
})
