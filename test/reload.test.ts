// Settings that change while requests are under way: each request keeps those it began with.
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import type { Config } from '../src/config/config.ts'
import { ConfigError } from '../src/errors.ts'
import { header, type RunningClaimgate, requestBytes, startClaimgate } from './helpers/claimgate.ts'
import { createKey, publicJwk } from './helpers/keys.ts'
import { mint } from './helpers/mint.ts'
import { until } from './helpers/program.ts'
import { codeOf, exchangeBytes, rawClient, statusOf, tlsClient } from './helpers/raw-client.ts'
import { OK, rawUpstream } from './helpers/raw-upstream.ts'
import { writeTlsFiles } from './helpers/transport.ts'

const CLOSE = ['Connection: close']
const HANDSHAKE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']

async function setUp(t: Test, changes: Partial<Config> = {}, upstream = rawUpstream()) {
  const app = await upstream
  t.teardown(() => app.close())
  const gate = await startClaimgate(t, app.port, changes)
  let uses = 0
  const reload = (next: Partial<Config>) =>
    gate.gate.reload({ read: () => ({ ...gate.config, ...next }), inUse: () => void uses++ })
  const ask = (line = 'GET /t HTTP/1.1', lines: readonly string[] = CLOSE) =>
    exchangeBytes(gate.port, requestBytes(gate.assertion(), { line, lines }))
  return { app, gate, reload, ask, uses: () => uses }
}

const metrics = async ({ adminPort }: RunningClaimgate) =>
  (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
const reloadz = async ({ adminPort }: RunningClaimgate) =>
  (await fetch(`http://127.0.0.1:${adminPort}/reloadz`)).json()

t.test('a request under way ends under the settings it began with', async (t) => {
  const sockets: Socket[] = []
  const { app, gate, reload, ask } = await setUp(
    t,
    { identityHeaders: [header('X-Old', 'email')] },
    rawUpstream((socket) => void sockets.push(socket)),
  )
  const next = await rawUpstream()
  t.teardown(() => next.close())
  const client = await rawClient(gate.port)
  client.send(
    requestBytes(gate.assertion(), {
      line: 'POST /t HTTP/1.1',
      lines: ['Content-Length: 4', ...CLOSE],
    }),
  )
  client.send('bo')
  await app.until('bo')
  reload({
    upstream: { protocol: 'http:', hostname: '127.0.0.1', port: next.port },
    identityHeaders: [header('X-New', 'email')],
  })
  t.equal(statusOf(await ask()), 200)
  t.match(next.received()[0], /\r\nX-New: ann@example\.com\r\n/)
  client.send('dy')
  await app.until('body')
  sockets[0]?.write(OK)
  t.equal(statusOf(await client.untilClose()), 200)
  t.match(app.received()[0], /\r\nX-Old: ann@example\.com\r\n/)
  t.equal(app.connections(), 1)
})

t.test('an open connection goes on, its next request under the new settings', async (t) => {
  const { gate, reload } = await setUp(t)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  await client.until(/ok$/)
  reload({ audiences: ['other.example.com'] })
  client.send(requestBytes(gate.assertion()))
  t.equal(codeOf(await client.until('"code"')), 'ERR_ASSERTION_AUDIENCE')
})

t.test('an open WebSocket goes on', async (t) => {
  const switching =
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const { app, gate, reload, ask } = await setUp(
    t,
    {},
    rawUpstream((socket, received) => {
      socket.once('data', () => socket.write(switching))
      socket.on('data', () => received().endsWith('ping') && socket.write('pong'))
    }),
  )
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  await client.until('101')
  for (const path of ['/a', '/b', '/c']) reload({ statusPath: path })
  t.match(await ask('GET /c HTTP/1.1'), 'ann@example.com')
  client.send('ping')
  await client.until('pong')
  t.equal(app.connections(), 1)
  client.socket.destroy()
})

t.test('new keys are loaded before the old ones go', async (t) => {
  const { gate, reload, uses } = await setUp(t)
  const key = createKey()
  const path = `${(gate.config.keySet as { path: string }).path}-next`
  reload({ keySet: { kind: 'file', path, cooldown: 100 } })
  const ask = (assertion: string) =>
    exchangeBytes(gate.port, requestBytes(assertion, { lines: CLOSE }))
  t.equal(statusOf(await ask(gate.assertion())), 200, 'the old keys serve')
  t.match(await reloadz(gate), { waiting: true })
  t.equal(uses(), 0)
  writeFileSync(path, JSON.stringify({ keys: [publicJwk(key)] }))
  await until(() => uses() === 1, 'in use')
  t.match(await reloadz(gate), { last: 'ok', since: /^\d{4}-.*Z$/, waiting: false })
  t.equal(statusOf(await ask(mint({ key }))), 200)
  t.equal(codeOf(await ask(gate.assertion())), 'ERR_ASSERTION_KEY_UNKNOWN')
})

t.test('what was seen stays remembered by the replay guard', async (t) => {
  const { gate, reload } = await setUp(t, { replayGuard: 'on' })
  const bytes = requestBytes(gate.assertion(), { lines: CLOSE })
  t.equal(statusOf(await exchangeBytes(gate.port, bytes)), 200)
  reload({ replayGuard: 'on', audiences: [...gate.config.audiences, 'other.example.com'] })
  t.equal(codeOf(await exchangeBytes(gate.port, bytes)), 'ERR_ASSERTION_REPLAYED')
})

t.test('limits of the listener change, for open connections too', async (t) => {
  const { gate, reload } = await setUp(t, { headerTimeout: 60_000, maxConnections: 10 })
  const slow = await rawClient(gate.port)
  slow.send('GET / HTTP/1.1\r\nHost: a\r\n')
  reload({ headerTimeout: 300, maxConnections: 2, maxHeaderSize: 8 * 1024 })
  const first = await rawClient(gate.port)
  const second = await rawClient(gate.port)
  t.equal(codeOf(await second.untilClose()), 'ERR_OVERLOADED')
  first.send(requestBytes(gate.assertion(), { lines: [`X: ${'x'.repeat(9_000)}`] }))
  t.equal(statusOf(await first.untilClose()), 431)
  t.equal(statusOf(await slow.untilClose()), 408)
})

t.test('body_idle_timeout changes for clients that do not read', async (t) => {
  const { gate, reload } = await setUp(
    t,
    {},
    rawUpstream((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99000000\r\n\r\n')
        socket.write(Buffer.alloc(40_000_000))
      })
    }),
  )
  const client = await rawClient(gate.port)
  client.socket.pause()
  client.send(requestBytes(gate.assertion()))
  reload({ bodyIdleTimeout: 200 })
  await until(() => gate.logLines().some(({ aborted }) => aborted === true), 'ended')
  client.socket.destroy()
})

t.test('the level of the log changes', async (t) => {
  const { gate, reload, ask } = await setUp(t)
  reload({ logLevel: 'warn' })
  const before = gate.logLines().length
  await ask()
  t.equal(gate.logLines().length, before)
})

t.test('what needs a restart is named, and nothing of the reload is taken', async (t) => {
  const { gate, reload, ask, uses } = await setUp(t)
  reload({ logFormat: 'pretty', listen: { path: '/a' }, audiences: ['other.example.com'] })
  t.equal(statusOf(await ask()), 200)
  t.equal(uses(), 0)
  const lines = gate.logLines().filter(({ msg }) => msg === 'setting needs a restart to change')
  t.strictSame(
    lines.map(({ level, setting }) => [level, setting]),
    [
      [40, 'listen'],
      [40, 'log_format'],
    ],
  )
  const text = await metrics(gate)
  t.match(text, /^claimgate_config_reloads_total\{result="error"\} 1$/m)
  t.match(text, /^claimgate_config_last_reload_successful 0$/m)
  t.match(await reloadz(gate), { last: 'error', waiting: false })
})

t.test('settings that cannot be read leave all as it is, every problem told', async (t) => {
  const { gate, reload, ask } = await setUp(t)
  const problems = ['one', 'two'].map((message) => ({ source: 'config.yaml:1:1', message }))
  gate.gate.reload({
    read() {
      throw new ConfigError(problems)
    },
    inUse: () => t.fail('in use'),
  })
  const told = gate.logLines().filter(({ msg }) => /^settings not reloaded/.test(String(msg)))
  t.match(told, [
    { level: 50, problem: 'one' },
    { level: 50, problem: 'two' },
  ])
  t.equal(statusOf(await ask()), 200)
  reload({})
  const text = await metrics(gate)
  t.match(text, /^claimgate_config_reloads_total\{result="ok"\} 1$/m)
  t.match(text, /^claimgate_config_last_reload_successful 1$/m)
})

t.test(
  'a fault of ours during a reload leaves all as it is, and is told without its message',
  async (t) => {
    const { gate, ask } = await setUp(t)
    gate.gate.reload({
      read() {
        throw new TypeError('secret')
      },
      inUse: () => t.fail('in use'),
    })
    t.match(
      gate.logLines().find(({ msg }) => msg === 'reload failed'),
      { fault: 'TypeError' },
    )
    t.notMatch(JSON.stringify(gate.logLines()), 'secret')
    t.equal(statusOf(await ask()), 200)
  },
)

t.test('bad files of TLS to the upstream are met before they are used', async (t) => {
  const { gate, reload, ask } = await setUp(t)
  const none = {
    caFile: undefined,
    serverName: undefined,
    clientCertFile: undefined,
    clientKeyFile: undefined,
  }
  reload({ upstreamTls: { ...none, caFile: '/absent/ca.pem' } })
  t.match(
    gate.logLines().find(({ msg }) => /^settings not reloaded/.test(String(msg))),
    { source: '/absent/ca.pem', problem: 'upstream_ca_file must be readable, got ENOENT' },
  )
  t.equal(statusOf(await ask()), 200)
})

t.test('other files of TLS are in use for the next connection', async (t) => {
  const { ca, ...tls } = writeTlsFiles(t)
  const { gate, reload } = await setUp(t, { tls })
  const presented = async () => {
    const { socket } = await tlsClient(gate.port, { ca, servername: 'localhost' })
    const { fingerprint256 } = (socket as TLSSocket).getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }
  const next = writeTlsFiles(t)
  reload({ tls: next })
  t.equal(await presented(), new X509Certificate(readFileSync(next.certFile)).fingerprint256)
  reload({ tls: { ...tls, keyFile: next.keyFile } })
  t.equal(await presented(), new X509Certificate(readFileSync(next.certFile)).fingerprint256)
  t.match(await reloadz(gate), { last: 'error' })
})

t.test('after a drain has begun nothing is reloaded', async (t) => {
  const { gate, reload, uses } = await setUp(t)
  const drained = gate.gate.drain()
  reload({ audiences: ['a'] })
  t.equal(uses(), 0)
  await drained
})
