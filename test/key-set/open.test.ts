import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { KeySetSource } from '../../src/config/config.ts'
import { openKeySet } from '../../src/key-set/open.ts'
import type { KeySet } from '../../src/key-set/types.ts'
import { startJwksServer } from '../helpers/jwks-server.ts'
import { createKey, publicJwk } from '../helpers/keys.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'

function remote(uri: URL): KeySetSource {
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
  }
}

function open(t: Test, source: KeySetSource) {
  const log = createLogRecorder()
  const outcomes: string[] = []
  const deps = { algorithms: ['ES256'], log, onFetch: (outcome: string) => outcomes.push(outcome) }
  const keySet = openKeySet(source, deps)
  t.teardown(() => keySet.close())
  return { keySet, log, outcomes }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 5_000) throw new Error('the condition never held')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const usable = (keySet: KeySet) => () => keySet.status().usable

t.test('loads from an endpoint that answers as Pomerium does', async (t) => {
  const server = await startJwksServer(t)
  const [a, b] = [createKey(), createKey()]
  server.serve({ keys: [publicJwk(a)] })
  const { keySet, outcomes } = open(t, remote(server.uri))
  t.equal(server.requests.length, 0, 'nothing before start')
  keySet.start()
  await until(usable(keySet))
  t.equal(keySet.find('ES256', a.kid)?.length, 1)
  t.same(keySet.find('ES256', b.kid), [])
  server.serve({ keys: [publicJwk(a), publicJwk(b)] })
  await keySet.refreshForUnknownKey(b.kid)
  t.equal(keySet.find('ES256', b.kid)?.length, 1)
  t.same(outcomes, ['ok', 'ok'])
})

t.test(
  'a port that is closed at start: not usable at once, in use soon after it opens',
  async (t) => {
    const closed = await startJwksServer(t)
    await closed.stop()
    const { keySet, log } = open(t, remote(closed.uri))
    keySet.start()
    t.equal(keySet.find('ES256', 'a'), undefined)
    await until(() => log.lines.length > 0)
    t.equal(keySet.status().reason, 'no key set was loaded: the connection is refused')
    const server = await startJwksServer(t, { port: closed.port })
    server.serve({ keys: [publicJwk(createKey('ES256', 'a'))] })
    await until(usable(keySet))
    t.equal(keySet.find('ES256', 'a')?.length, 1)
  },
)

t.test('a PEM text is no answer for an endpoint', async (t) => {
  const server = await startJwksServer(t)
  const pem = createKey().publicKey.export({ type: 'spki', format: 'pem' })
  server.answer((response) => response.end(pem))
  const { keySet, log } = open(t, remote(server.uri))
  keySet.start()
  await until(() => log.lines.length > 0)
  t.equal(keySet.status().usable, false)
  t.match(log.lines[0]?.fields, { reason: 'the key set is not JSON' })
})

t.test('loads from a file', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'claimgate-open-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'key.pem')
  writeFileSync(path, createKey().publicKey.export({ type: 'spki', format: 'pem' }))
  const { keySet } = open(t, { kind: 'file', path, cooldown: 10_000 })
  keySet.start()
  await until(usable(keySet))
  t.equal(keySet.find('ES256', 'any name')?.length, 1)
})

t.test('a key set that was started does not hold the process', async (t) => {
  const server = await startJwksServer(t)
  await server.stop()
  const program = `
    import { openKeySet } from ${JSON.stringify(new URL('../../src/key-set/open.ts', import.meta.url))}
    const quiet = { info() {}, warn() {}, error() {} }
    const source = { ...${JSON.stringify(remote(server.uri))}, uri: new URL('${server.uri}') }
    openKeySet(source, { algorithms: ['ES256'], log: quiet, onFetch: console.log }).start()`
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { encoding: 'utf8', timeout: 20_000 },
  )
  t.equal(stdout, 'error\n')
  t.equal(status, 0)
})
