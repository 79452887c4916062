import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { KeySetSource } from '../../src/config/config.ts'
import { findingLine } from '../../src/doctor/finding.ts'
import { examineKeySet } from '../../src/doctor/key-set.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { answerWith, type JwksServer, startJwksServer } from '../helpers/jwks-server.ts'
import { createKey, publicJwk } from '../helpers/keys.ts'

const key = createKey('ES256', 'k1')
const authority = createAuthority('House CA')

const remote = (uri: URL, changes: object = {}): KeySetSource => ({
  kind: 'remote',
  uri,
  connect: undefined,
  caFiles: [],
  clientCertFile: undefined,
  clientKeyFile: undefined,
  timeout: 2_000,
  refresh: 60_000,
  cooldown: 10_000,
  maxStale: 0,
  ...changes,
})

async function look(keySet: KeySetSource, now = Date.now, algorithms = ['ES256']) {
  const findings = await examineKeySet({ keySet, algorithms, clockSkew: 60_000 }, now)
  return findings.map(findingLine)
}

function caFile(t: Test): string {
  const path = join(t.testdir(), 'ca.pem')
  writeFileSync(path, authority.cert)
  return path
}

const startTls = (t: Test, names: string[], days = 30): Promise<JwksServer> =>
  startJwksServer(t, { tls: authority.issue({ names, days }) })

t.test('all is well: the way, the clock, the keys', async (t) => {
  const server = await startTls(t, ['127.0.0.1'])
  server.serve({ keys: [publicJwk(key)] })
  const lines = await look(remote(server.uri, { caFiles: [caFile(t)] }))
  t.match(lines, [
    `✓ key set   127.0.0.1:${server.port} takes connections\n`,
    /^✓ key set {3}its certificate is good for 127\.0\.0\.1, until .*\n$/,
    /^✓ clock {5}the key set's clock and this one agree to [01] s\n$/,
    '✓ key set   it holds keys for ES256: k1\n',
  ])
  t.equal(lines.length, 4)
})

t.test('a name that leads nowhere ends it, with the setting that goes around it', async (t) => {
  const lines = await look(remote(new URL('http://nowhere.invalid:1/jwks.json')))
  t.equal(lines.length, 1)
  t.match(
    lines[0],
    /^✗ key set {3}the name nowhere\.invalid cannot be resolved \(E\w+\) → jwks_connect,/,
  )
})

t.test('a port that nobody listens on ends it', async (t) => {
  const server = await startJwksServer(t)
  await server.stop()
  t.match(await look(remote(server.uri)), [
    /^✗ key set {3}127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\) → jwks_connect,/,
  ])
})

t.test('says which CA is missing', async (t) => {
  const server = await startTls(t, ['127.0.0.1'])
  const lines = await look(remote(server.uri))
  t.match(lines.at(-1), /^✗ key set {3}its certificate is signed by House CA, .* → jwks_ca_file,/)
  t.equal(server.requests.length, 0, 'nothing was asked of a server that nobody vouches for')
})

t.test('says which name the certificate has', async (t) => {
  const server = await startTls(t, ['pomerium.example.com'])
  server.serve({ keys: [publicJwk(key)] })
  const caFiles = [caFile(t)]
  const lines = await look(remote(server.uri, { caFiles }))
  t.match(
    lines.at(-1),
    /^✗ key set {3}its certificate is for DNS:pomerium\.example\.com, not for 127\.0\.0\.1 → jwks_uri .*jwks_connect/,
  )
  const uri = new URL('https://pomerium.example.com/.well-known/pomerium/jwks.json')
  const connect = { host: '127.0.0.1', port: server.port }
  const mended = await look(remote(uri, { caFiles, connect }))
  t.match(mended.at(-1), '✓ key set   it holds keys for ES256: k1\n')
})

t.test('says that the certificate has expired', async (t) => {
  const server = await startTls(t, ['127.0.0.1'], -1)
  const lines = await look(remote(server.uri, { caFiles: [caFile(t)] }))
  t.match(lines.at(-1), /^✗ key set {3}its certificate has expired \(.* GMT\) → renew it\n$/)
})

t.test('what speaks no TLS is told so', async (t) => {
  const server = await startJwksServer(t)
  const uri = new URL(`https://127.0.0.1:${server.port}/`)
  t.match(
    (await look(remote(uri))).at(-1),
    /^✗ key set {3}TLS cannot be agreed \(.*→ scheme and port/,
  )
})

for (const [what, body, wanted] of [
  [
    'an empty set',
    '{"keys":null}',
    /^✗ key set {3}Pomerium has no signing key.* → Pomerium's signing_key\n$/,
  ],
  ['an HTML page', '<html>sign in</html>', /^✗ key set .*is an HTML page → jwks_uri\n$/],
  [
    'keys of another kind',
    JSON.stringify({ keys: [publicJwk(createKey('RS256'))] }),
    /^✗ key set {3}no key of the set can be used for ES256: .* → algorithms\n$/,
  ],
] as const)
  t.test(`${what} is told with what mends it`, async (t) => {
    const server = await startJwksServer(t)
    server.answer(answerWith(200, {}, body))
    t.match((await look(remote(server.uri))).at(-1), wanted)
  })

t.test('a clock that is off is told, and by how much', async (t) => {
  const server = await startJwksServer(t)
  server.serve({ keys: [publicJwk(key)] })
  const off = async (ms: number) =>
    (await look(remote(server.uri), () => Date.now() + ms)).find((line) => line.includes(' clock '))
  t.match(
    await off(-30_000),
    /^! clock {5}the key set's clock is (30|29|31) s ahead of this one → NTP/,
  )
  t.match(
    await off(90_000),
    /^✗ clock {5}.* (90|89|91) s behind this one, more than clock_skew \(60 s\)/,
  )
})

t.test('a key that was left out is a warning', async (t) => {
  const server = await startJwksServer(t)
  server.serve({ keys: [publicJwk(key), { kty: 'oct', k: 'AA' }] })
  t.match(
    (await look(remote(server.uri))).at(-1),
    /^! key set {3}key 2 is a shared secret.* → jwks_uri\n$/,
  )
})

t.test('a file is read, and nothing is dialled', async (t) => {
  const path = join(t.testdir(), 'key.pem')
  const file: KeySetSource = { kind: 'file', path, cooldown: 10_000 }
  t.match(await look(file), [/^✗ key set {3}jwks_file .*it does not exist → jwks_file\n$/])
  writeFileSync(path, key.publicKey.export({ type: 'spki', format: 'pem' }))
  t.match(await look(file), ['✓ key set   it holds keys for ES256: one without a kid\n'])
})

t.test('a server that says nothing ends the probe in time', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const began = performance.now()
  const lines = await look(remote(new URL(`http://127.0.0.1:${port}/`), { timeout: 300 }))
  t.match(lines.at(-1), /^✗ key set .*no complete answer in time/)
  t.ok(performance.now() - began < 3_000)
})
