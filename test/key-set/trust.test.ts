import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { createRemoteFetch, type RemoteSource } from '../../src/key-set/remote.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { answerWith, startJwksServer } from '../helpers/jwks-server.ts'
import { closesSoon, fetchOnce, reasonOf, sourceOf } from './remote-source.ts'

const authority = createAuthority()
const directory = mkdtempSync(join(tmpdir(), 'claimgate-trust-'))
t.teardown(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const CA = file('ca.pem', authority.cert)

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
