// TLS on the data port: whom the handshake lets through, and that nothing a client sends in its place harms anybody.
import { once } from 'node:events'
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import type { Config } from '../../src/config/config.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { type RunningClaimgate, requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { until } from '../helpers/program.ts'
import { codeOf, statusOf, tlsClient } from '../helpers/raw-client.ts'
import { OK, rawUpstream } from '../helpers/raw-upstream.ts'
import { writeTlsFiles } from '../helpers/transport.ts'

const CLOSE = { lines: ['Connection: close'] }
const NAME = { servername: 'localhost' }

async function setUp(t: Test, changes: Partial<Config> = {}) {
  const app = await rawUpstream()
  t.teardown(() => app.close())
  const { ca, ...tls } = writeTlsFiles(t)
  const gate = await startClaimgate(t, app.port, { tls, ...changes })
  const trust = { ca, ...NAME }
  return { app, gate, tls, trust }
}

/** As {@link setUp}, with client certificates wanted. */
async function setUpMutual(t: Test, changes: Partial<Config> = {}) {
  const clients = createAuthority('Clients')
  const files = writeTlsFiles(t)
  const clientCaFile = `${files.certFile}-clients`
  writeFileSync(clientCaFile, clients.cert)
  const rig = await setUp(t, { tls: { ...files, clientCaFile }, ...changes })
  return { ...rig, clients, clientCaFile, trust: { ca: files.ca, ...NAME } }
}

const metric = async ({ adminPort }: RunningClaimgate, name: string) => {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  return new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]
}

async function serves(
  t: Test,
  { gate, trust }: { gate: RunningClaimgate; trust: Parameters<typeof tlsClient>[1] },
) {
  const client = await tlsClient(gate.port, trust)
  client.send(requestBytes(gate.assertion(), CLOSE))
  t.equal(statusOf(await client.untilClose()), 200, 'a fresh good request is answered')
}

/** What a client that should be refused gets. */
async function refusalOf(port: number, options: Parameters<typeof tlsClient>[1]): Promise<string> {
  try {
    const client = await tlsClient(port, options)
    // In TLS 1.3 a client is done before the server has seen its certificate.
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    return `answer: ${await client.untilClose()}`
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'no code'
  }
}

t.test('a request over TLS reaches the app, the answer comes back', async (t) => {
  const { app, gate, trust } = await setUp(t)
  await serves(t, { gate, trust })
  t.match(app.received()[0], /^GET \/t HTTP\/1\.1\r\n/)
  const expiry = Number(await metric(gate, 'claimgate_tls_certificate_expiry_timestamp_seconds'))
  t.ok(expiry > Date.now() / 1000)
})

t.test('TLS 1.2 and 1.3 are spoken, nothing older', async (t) => {
  const { gate, trust } = await setUp(t)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    await serves(t, { gate, trust: { ...trust, minVersion: version, maxVersion: version } })
  const old = { ...trust, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }
  t.match(await refusalOf(gate.port, old as typeof trust), /PROTOCOL_VERSION|ECONNRESET/)
})

t.test('http/1.1 is agreed on, and a client that speaks only h2 is refused', async (t) => {
  const { gate, trust } = await setUp(t)
  const { socket } = await tlsClient(gate.port, { ...trust, ALPNProtocols: ['h2', 'http/1.1'] })
  t.equal((socket as TLSSocket).alpnProtocol, 'http/1.1')
  t.equal(
    (socket as TLSSocket).getPeerCertificate().subjectaltname,
    'IP Address:127.0.0.1, DNS:localhost',
  )
  socket.destroy()
  t.match(
    await refusalOf(gate.port, { ...trust, ALPNProtocols: ['h2'] }),
    /NO_APPLICATION_PROTOCOL/,
  )
})

t.test('with tls_client_ca_file only clients of that authority get through', async (t) => {
  const { app, gate, clients, trust } = await setUpMutual(t)
  await serves(t, { gate, trust: { ...trust, ...clients.issue({ names: ['pomerium'] }) } })
  const before = app.connections()
  const bad = [
    ['none', {}],
    ['of another authority', createAuthority('Clients').issue({ names: ['pomerium'] })],
    ['expired', clients.issue({ names: ['pomerium'], days: -1 })],
  ] as const
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const [name, credentials] of bad) {
      const options = { ...trust, ...credentials, minVersion: version, maxVersion: version }
      const refusal = await refusalOf(gate.port, options)
      t.notMatch(refusal, 'HTTP', `${name}, ${version}`)
    }
  t.equal(app.connections(), before, 'nothing reached the app')
  await until(
    async () => (await metric(gate, 'claimgate_tls_handshake_failures_total')) === '6',
    'counted',
  )
  const reasons = gate
    .logLines()
    .filter(({ msg }) => msg === 'tls handshake failed')
    .map(({ reason }) => reason)
  t.ok(reasons.includes('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'), String(reasons))
  t.ok(reasons.includes('CERT_HAS_EXPIRED'), String(reasons))
  t.equal(gate.logLines().filter(({ msg }) => msg === 'request').length, 1)
})

t.test('a refused client cannot resume what it began', async (t) => {
  const { gate, trust } = await setUpMutual(t)
  const stranger = createAuthority('Clients').issue({ names: ['pomerium'] })
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { ...trust, ...stranger, minVersion: version, maxVersion: version }
    let session: Buffer | undefined
    const socket = connectTls({ host: '127.0.0.1', port: gate.port, ...options })
    socket
      .on('error', () => undefined)
      .on('session', (given) => {
        session = given
      })
    await new Promise((resolve) => socket.once('close', resolve))
    const again = session === undefined ? options : { ...options, session }
    t.notMatch(
      await refusalOf(gate.port, again),
      'HTTP',
      `${version}, session: ${session !== undefined}`,
    )
  }
})

t.test('a session ends with the authority that let it begin', async (t) => {
  const { gate, clients, clientCaFile, trust } = await setUpMutual(t)
  const options = { ...trust, ...clients.issue({ names: ['pomerium'] }) }
  const client = await tlsClient(gate.port, options)
  let session: Buffer | undefined
  client.socket.on('session', (given: Buffer) => {
    session = given
  })
  client.send(requestBytes(gate.assertion(), CLOSE))
  await client.untilClose()
  t.ok(session, 'a session was offered')
  writeFileSync(clientCaFile, createAuthority('Others').cert)
  await until(
    async () => (await metric(gate, 'claimgate_tls_reloads_total{result="ok"}')) === '1',
    'reloaded',
    15_000,
  )
  t.notMatch(await refusalOf(gate.port, { ...options, ...(session ? { session } : {}) }), 'HTTP')
})

const NONSENSE: readonly (readonly [name: string, bytes: string])[] = [
  ['a plain request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['zeroes', '\0'.repeat(500)],
  ['a record that is too long', '\x16\x03\x01\xff\xff'.padEnd(400, 'x')],
  ['an alert', '\x15\x03\x01\x00\x02\x02\x28'],
  ['a broken client hello', `\x16\x03\x01\x00\x50\x01\x00\x00\x4c\x03\x03${'y'.repeat(200)}`],
]

for (const [name, bytes] of NONSENSE)
  t.test(`${name} in place of a handshake ends that connection alone`, async (t) => {
    const { app, gate, trust } = await setUp(t)
    const socket = connect(gate.port, '127.0.0.1')
    let answer = ''
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        answer += chunk.toString('latin1')
      })
    socket.write(bytes, 'latin1')
    await new Promise((resolve) => socket.once('close', resolve))
    t.notMatch(answer, 'HTTP')
    t.equal(app.connections(), 0)
    await serves(t, { gate, trust })
    await until(
      async () => (await metric(gate, 'claimgate_tls_handshake_failures_total')) === '1',
      'counted',
    )
  })

t.test('a handshake that is not completed is given up in header_timeout', async (t) => {
  const { gate, trust } = await setUp(t, { headerTimeout: 300 })
  const ends = ['', '\x16\x03\x01\x02\x00\x01'].map(async (bytes) => {
    const socket = connect(gate.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(bytes, 'latin1')
    const started = performance.now()
    await new Promise((resolve) => socket.once('close', resolve))
    return performance.now() - started
  })
  for (const duration of await Promise.all(ends))
    t.ok(duration > 200 && duration < 5_000, `${Math.round(duration)} ms`)
  const failed = () => gate.logLines().filter(({ msg }) => msg === 'tls handshake failed')
  await serves(t, { gate, trust })
  // Lines keep their order: those of both are there when that of a later request is.
  await until(() => gate.logLines().some(({ msg }) => msg === 'request'), 'logged')
  t.match(failed(), [{ reason: 'TIMEOUT' }], 'who said nothing is not counted')
  t.equal(failed().length, 1)
})

t.test('a connection whose handshake was in time outlives header_timeout', async (t) => {
  const app = await rawUpstream((socket) => {
    socket.once('data', () => setTimeout(() => socket.write(OK), 700))
  })
  t.teardown(() => app.close())
  const { ca, ...tls } = writeTlsFiles(t)
  const gate = await startClaimgate(t, app.port, { tls, headerTimeout: 300 })
  await serves(t, { gate, trust: { ca, ...NAME } })
})

t.test('a connection counts before its handshake is complete', async (t) => {
  const { gate, trust } = await setUp(t, { maxConnections: 1 })
  const silent = connect(gate.port, '127.0.0.1')
  silent.on('error', () => undefined)
  await once(silent, 'connect')
  const client = await tlsClient(gate.port, trust)
  client.send(requestBytes(gate.assertion()))
  t.equal(codeOf(await client.untilClose()), 'ERR_OVERLOADED')
  silent.destroy()
  const status = async () => {
    const next = await tlsClient(gate.port, trust)
    next.send(requestBytes(gate.assertion(), CLOSE))
    return statusOf(await next.untilClose())
  }
  await until(async () => (await status()) === 200, 'served')
})

t.test('a client that leaves within its handshake is gone at once', async (t) => {
  const { gate } = await setUp(t, { headerTimeout: 60_000 })
  for (const bytes of ['', '\x16\x03\x01\x02\x00\x01']) {
    const socket = connect(gate.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.end(bytes, 'latin1')
    await new Promise((resolve) => socket.once('close', resolve))
  }
  t.pass('claimgate has ended its side')
})

t.test('a place is free again after a failed handshake', async (t) => {
  const { gate, trust } = await setUp(t, { maxConnections: 2 })
  for (let i = 0; i < 8; i++) {
    const socket = connect(gate.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await new Promise((resolve) => socket.once('close', resolve))
  }
  await serves(t, { gate, trust })
})

t.test('resets at every moment of a handshake and behind it harm nobody', async (t) => {
  const { gate, trust } = await setUp(t)
  for (let turns = 0; turns < 60; turns++) {
    const plain = connect(gate.port, '127.0.0.1')
    plain.on('error', () => undefined)
    const socket = connectTls({ socket: plain, ...trust })
    socket.on('error', () => undefined)
    socket.write(requestBytes(gate.assertion()))
    await once(plain, 'connect')
    for (let turn = 0; turn < turns; turn++) await new Promise((next) => setImmediate(next))
    plain.resetAndDestroy()
  }
  await serves(t, { gate, trust })
})

t.test('files that are swapped by symbolic link are used, and connections stay', async (t) => {
  const { gate, tls, trust } = await setUp(t)
  const kept = await tlsClient(gate.port, trust)
  const next = writeTlsFiles(t)
  for (const name of ['certFile', 'keyFile'] as const) {
    symlinkSync(next[name], `${tls[name]}-next`)
    renameSync(`${tls[name]}-next`, tls[name])
  }
  const wanted = /BEGIN CERTIFICATE-----\n([\s\S]*?)\n-----END/.exec(
    readFileSync(next.certFile, 'utf8'),
  )
  const der = Buffer.from(wanted?.[1] ?? '', 'base64')
  const presented = async () => {
    const { socket } = await tlsClient(gate.port, trust)
    const { raw } = (socket as TLSSocket).getPeerCertificate()
    socket.destroy()
    return raw
  }
  await until(async () => der.equals(await presented()), 'shown', 15_000)
  kept.send(requestBytes(gate.assertion(), CLOSE))
  t.equal(statusOf(await kept.untilClose()), 200)
  t.match(
    gate.logLines().find(({ msg }) => msg === 'tls files reloaded'),
    { level: 30 },
  )
})

t.test('a bad new file keeps the old one in use', async (t) => {
  const { gate, tls, trust } = await setUp(t)
  rmSync(tls.keyFile)
  await until(
    async () => (await metric(gate, 'claimgate_tls_reloads_total{result="error"}')) === '1',
    'told',
    15_000,
  )
  await serves(t, { gate, trust })
  const line = gate.logLines().find(({ msg }) => /not reloaded/.test(String(msg)))
  t.match(line, { level: 40, source: tls.keyFile, problem: /got no such file$/ })
})

t.test('a WebSocket client and server talk over TLS, and a drain closes with 1001', async (t) => {
  const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  await once(echo, 'listening')
  t.teardown(() => echo.close())
  const { ca, ...tls } = writeTlsFiles(t)
  const { port } = echo.address() as import('node:net').AddressInfo
  const gate = await startClaimgate(t, port, { tls })
  const client = new WebSocket(`wss://localhost:${gate.port}/ws`, {
    ca,
    lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    headers: { Host: 'app.example.com', 'X-Pomerium-Jwt-Assertion': gate.assertion() },
  })
  await once(client, 'open')
  const text = 'x'.repeat(300_000)
  client.send(text)
  const [echoed] = await once(client, 'message')
  t.equal(String(echoed), text)
  const closed = once(client, 'close')
  const drained = gate.gate.drain()
  t.equal((await closed)[0], 1001)
  await drained
})

t.test('sizes of a body that no record fits arrive whole, both ways', async (t) => {
  const { gate, app, trust } = await setUp(t)
  const body = 'b'.repeat(1_000_003)
  const client = await tlsClient(gate.port, trust)
  client.send(
    requestBytes(gate.assertion(), {
      line: 'POST /t HTTP/1.1',
      lines: [`Content-Length: ${body.length}`, 'Connection: close'],
      body,
    }),
  )
  t.equal(statusOf(await client.untilClose()), 200)
  t.ok(app.received()[0]?.endsWith(`\r\n\r\n${body}`))
})
