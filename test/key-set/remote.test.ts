import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createRemoteFetch, type RemoteSource } from '../../src/key-set/remote.ts'
import type { FetchResult } from '../../src/key-set/types.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { answerWith, startJwksServer } from '../helpers/jwks-server.ts'

const MIB = 1024 * 1024
const authority = createAuthority()
const directory = mkdtempSync(join(tmpdir(), 'claimgate-remote-'))
t.teardown(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const CA = file('ca.pem', authority.cert)

function sourceOf(uri: URL, changes: Partial<RemoteSource> = {}): RemoteSource {
  return {
    kind: 'remote',
    uri,
    connect: undefined,
    caFiles: [],
    clientCertFile: undefined,
    clientKeyFile: undefined,
    timeout: 5_000,
    refresh: 60_000,
    cooldown: 10_000,
    maxStale: 86_400_000,
    ...changes,
  }
}

function fetchOnce(
  uri: URL,
  changes: Partial<RemoteSource> = {},
  etag?: string,
): Promise<FetchResult> {
  return createRemoteFetch(sourceOf(uri, changes))(etag, new AbortController().signal)
}

/** The reason of a failure, with the endpoint's address left out. */
async function reasonOf(result: FetchResult | Promise<FetchResult>): Promise<string> {
  const settled = await result
  if (settled.kind !== 'failed') return `not a failure: ${settled.kind}`
  return settled.reason.replace(/^[^ ]+( \(dialled [^ )]+\))?: /, '')
}

/** How a fetch ends in a process of its own, with these variables. */
async function kindInChild(source: RemoteSource, env: Record<string, string>): Promise<string> {
  const module = new URL('../../src/key-set/remote.ts', import.meta.url)
  const program = `
    import { createRemoteFetch } from ${JSON.stringify(module)}
    const source = { ...${JSON.stringify(source)}, uri: new URL('${source.uri}') }
    const { kind } = await createRemoteFetch(source)(undefined, new AbortController().signal)
    console.log(kind)`
  const words = ['--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, words, { env, timeout: 20_000 })
  return stdout.trim()
}

async function closesSoon(t: Test, connections: () => number): Promise<void> {
  for (let tries = 0; connections() > 0 && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  t.equal(connections(), 0, 'no connection is left')
}

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

t.test('https: a certificate of a given CA, for the name in the URI', async (t) => {
  const tls = authority.issue({ names: ['grafana.example.test'] })
  const server = await startJwksServer(t, { tls })
  server.answer(answerWith(200, {}, '{}'))
  const connect = { host: '127.0.0.1', port: server.port }
  const uri = new URL('https://grafana.example.test/jwks')

  t.test('is accepted, with the URI’s name in TLS and Host', async (t) => {
    t.equal((await fetchOnce(uri, { connect, caFiles: [CA] })).kind, 'set')
    t.match(server.requests[0], {
      serverName: 'grafana.example.test',
      headers: { host: 'grafana.example.test' },
    })
    await closesSoon(t, server.connections)
  })
  t.test('is refused without that CA', async (t) => {
    const reason = 'its certificate is not signed by a known CA; give the CA in jwks_ca_file'
    t.equal(await reasonOf(fetchOnce(uri, { connect })), reason)
    const foreign = file('foreign.pem', createAuthority('Other CA').cert)
    t.equal(await reasonOf(fetchOnce(uri, { connect, caFiles: [foreign] })), reason)
  })
  t.test('is refused for another name, even that of the dialled host', async (t) => {
    const reason =
      'its certificate is for another name; put the name it is for in jwks_uri, and the address to dial in jwks_connect'
    const other = new URL('https://pomerium/jwks')
    t.equal(await reasonOf(fetchOnce(other, { connect, caFiles: [CA] })), reason)
    t.equal(await reasonOf(fetchOnce(server.uri, { caFiles: [CA] })), reason)
  })
  t.test('no request is sent on a connection that is not trusted', async (t) => {
    t.equal(server.requests.length, 1)
  })
})

t.test(
  'https: an address as host sends no server name and needs the address in the certificate',
  async (t) => {
    const tls = authority.issue({ names: ['127.0.0.1'] })
    const server = await startJwksServer(t, { tls })
    server.answer(answerWith(200, {}, '{}'))
    t.equal((await fetchOnce(server.uri, { caFiles: [CA] })).kind, 'set')
    t.equal(server.requests[0]?.serverName, undefined)
    const connect = { host: '127.0.0.1', port: server.port }
    const elsewhere = new URL('https://127.0.0.9/jwks')
    t.match(
      await reasonOf(fetchOnce(elsewhere, { connect, caFiles: [CA] })),
      /^its certificate is for another name/,
    )
  },
)

t.test('https: an expired certificate is refused', async (t) => {
  const tls = authority.issue({ names: ['127.0.0.1'], days: -1 })
  const server = await startJwksServer(t, { tls })
  t.equal(await reasonOf(fetchOnce(server.uri, { caFiles: [CA] })), 'its certificate has expired')
})

t.test('https: a renewed CA file is used without a restart', async (t) => {
  const tls = authority.issue({ names: ['127.0.0.1'] })
  const server = await startJwksServer(t, { tls })
  server.answer(answerWith(200, {}, '{}'))
  const path = file('renewed.pem', createAuthority('Old CA').cert)
  const fetch = createRemoteFetch(sourceOf(server.uri, { caFiles: [path] }))
  const { signal } = new AbortController()
  t.equal((await fetch(undefined, signal)).kind, 'failed')
  writeFileSync(path, authority.cert)
  t.equal((await fetch(undefined, signal)).kind, 'set')
})

for (const [store, variable] of [
  ['the system’s store', 'SSL_CERT_FILE'],
  ['Node’s store', 'NODE_EXTRA_CA_CERTS'],
] as const) {
  t.test(`https: a CA of ${store} is known, with other CA files and without`, async (t) => {
    const server = await startJwksServer(t, { tls: authority.issue({ names: ['127.0.0.1'] }) })
    server.answer(answerWith(200, {}, '{}'))
    const other = file('other-ca.pem', createAuthority('Other CA').cert)
    for (const caFiles of [[], [other]]) {
      const kind = await kindInChild({ ...sourceOf(server.uri), caFiles }, { [variable]: CA })
      t.equal(kind, 'set', `${caFiles.length} CA files`)
    }
    t.equal(await kindInChild(sourceOf(server.uri), {}), 'failed', 'without it')
  })
}

t.test('https: a listener that asks for a client certificate', async (t) => {
  const server = await startJwksServer(t, {
    tls: {
      ...authority.issue({ names: ['127.0.0.1'] }),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    },
  })
  server.answer(answerWith(200, {}, '{}'))
  const client = authority.issue({ names: ['claimgate'] })
  const files = {
    caFiles: [CA],
    clientCertFile: file('client.pem', client.cert),
    clientKeyFile: file('client.key', client.key),
  }
  t.equal((await fetchOnce(server.uri, files)).kind, 'set')
  t.equal(
    await reasonOf(fetchOnce(server.uri, { caFiles: [CA] })),
    'the endpoint refuses our client certificate, or asks for one; set jwks_client_cert_file and jwks_client_key_file',
  )
})

t.test('https to a port that speaks plain HTTP is a failure that names the settings', async (t) => {
  const server = await startJwksServer(t)
  t.equal(
    await reasonOf(fetchOnce(new URL(`https://127.0.0.1:${server.port}/`))),
    'TLS cannot be agreed; check the scheme and port of jwks_uri and jwks_connect',
  )
})

t.test('TLS files that cannot be used are named by their setting', async (t) => {
  const uri = new URL('https://127.0.0.1:1/')
  const { cert } = authority.issue({ names: ['a'] })
  const { key } = authority.issue({ names: ['b'] })
  const absent = join(directory, 'absent.pem')
  const cases: readonly (readonly [Partial<RemoteSource>, string])[] = [
    [
      { caFiles: [absent] },
      'jwks_ca_file, jwks_client_cert_file or jwks_client_key_file cannot be read',
    ],
    [{ caFiles: [file('text.pem', 'no PEM')] }, 'jwks_ca_file holds no certificate in PEM'],
    [
      { clientCertFile: file('cert.pem', cert), clientKeyFile: file('other.key', key) },
      'jwks_client_cert_file and jwks_client_key_file do not form a usable pair',
    ],
  ]
  for (const [changes, reason] of cases) {
    t.match(await fetchOnce(uri, changes), { kind: 'failed', reason, summary: reason })
  }
})
