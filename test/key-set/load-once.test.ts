import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { KeySetSource } from '../../src/config/config.ts'
import { loadKeySetOnce } from '../../src/key-set/load-once.ts'
import { startJwksServer } from '../helpers/jwks-server.ts'
import { createKey, publicJwk } from '../helpers/keys.ts'

const key = createKey('ES256', 'k1')

const remote = (uri: URL): KeySetSource => ({
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
})

t.test('the keys of an endpoint are there when it resolves, asked for once', async (t) => {
  const server = await startJwksServer(t)
  server.serve({ keys: [publicJwk(key), { kty: 'oct', k: 'AA' }] })
  const loaded = await loadKeySetOnce(remote(server.uri), ['ES256'])
  t.teardown(() => loaded.keySet.close())
  t.equal(loaded.keySet.find('ES256', 'k1')?.length, 1)
  t.strictSame(loaded.kids(), ['k1'])
  t.match(loaded.notes(), [/^key 2 is a shared secret/])
  t.equal(loaded.failure(), undefined)
  t.equal(server.requests.length, 1)
})

t.test('a failure is told with the setting that may help', async (t) => {
  const server = await startJwksServer(t)
  await server.stop()
  const loaded = await loadKeySetOnce(remote(server.uri), ['ES256'])
  t.teardown(() => loaded.keySet.close())
  t.equal(loaded.keySet.find('ES256', 'k1'), undefined)
  t.match(loaded.failure(), /the connection is refused; .*jwks_connect/)
  t.strictSame(loaded.kids(), [])
})

t.test('a PEM file is a key without a name', async (t) => {
  const path = join(t.testdir(), 'key.pem')
  writeFileSync(path, key.publicKey.export({ type: 'spki', format: 'pem' }))
  const loaded = await loadKeySetOnce({ kind: 'file', path, cooldown: 10_000 }, ['ES256'])
  t.teardown(() => loaded.keySet.close())
  t.strictSame(loaded.kids(), [null])
  t.equal(loaded.keySet.find('ES256', 'any')?.length, 1)
})
