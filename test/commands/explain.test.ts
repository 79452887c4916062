import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { explain } from '../../src/commands/explain.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { createKey } from '../helpers/keys.ts'
import { HOST, mint, NOW_MS, partsOf } from '../helpers/mint.ts'
import { files } from '../helpers/settings.ts'

const key = createKey('ES256', 'k1')

interface Run {
  readonly flags: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly now?: number
}

async function run({ flags, env = {}, input = '', now = NOW_MS }: Run) {
  const written: string[] = []
  const code = await explain({
    flags,
    env,
    readFile: files({}),
    write: (text) => void written.push(text),
    readInput: async () => input,
    now: () => now,
  })
  return { code, text: written.join('') }
}

function keyFile(t: Test): string {
  const path = join(t.testdir(), 'key.pem')
  writeFileSync(path, key.publicKey.export({ type: 'spki', format: 'pem' }))
  return path
}

t.test('route and a PEM file are enough: no upstream, no network', async (t) => {
  const flags = ['--route', `https://${HOST}`, '--jwks-file', keyFile(t)]
  const token = mint({ key })
  const { code, text } = await run({ flags: [...flags, token] })
  t.equal(code, 0)
  t.match(text, /^ACCEPTED\n/)
  t.match(text, '  X-Pomerium-Claim-Email: ann@example.com  (15 bytes)\n')
  t.notMatch(text, partsOf(token)[2])
})

t.test('reads a pasted request from standard input, and refuses with 1', async (t) => {
  const flags = ['--route', `https://${HOST}`, '--jwks-file', keyFile(t), '-', '--json']
  const token = mint({ key, claims: { aud: 'other.example.com' } })
  const input = `curl -H 'X-Pomerium-Jwt-Assertion: ${token}' https://other.example.com/`
  const { code, text } = await run({ flags, input })
  t.equal(code, 1)
  t.match(JSON.parse(text), { code: 'ERR_ASSERTION_AUDIENCE', verified: true })
  t.match(text, '"setting": "route"')
  t.notMatch(text, partsOf(token)[2])
})

t.test('asks the key set endpoint of the settings', async (t) => {
  const issuer = await startIssuer(t)
  const now = Date.now()
  const { code, text } = await run({ flags: [issuer.assertion()], env: issuer.env, now })
  t.equal(code, 0)
  t.match(text, /^✓ key {9}kid "\w+", jwks_uri 127\.0\.0\.1:\d+$/m)
  t.match(text, /^clock here: \S+ \(the key set's clock and this one agree to \d s\)$/m)
  const late = await run({ flags: [issuer.assertion()], env: issuer.env, now: now - 600_000 })
  t.match(late.text, /^clock here: \S+ \(the key set's clock is 60\d s ahead of this one, more /m)
  await issuer.stop()
  const without = await run({ flags: [issuer.assertion()], env: issuer.env, now })
  t.equal(without.code, 1)
  t.match(without.text, /^REFUSED with 503 ERR_KEY_SET_UNAVAILABLE/)
  t.match(without.text, /→ claimgate: jwks_uri|→ claimgate: jwks_connect/)
  t.match(without.text, 'the connection is refused')
  t.match(without.text, /^clock here: \S+Z$/m, 'and there is no clock to compare with')
})

t.test('a certificate does for a key, and the wrong one refuses the signature', async (t) => {
  const path = join(t.testdir(), 'cert.pem')
  writeFileSync(path, createAuthority().issue({ names: ['a.example.com'] }).cert)
  const flags = ['--route', `https://${HOST}`, '--jwks-file', path, mint({ key })]
  const { code, text } = await run({ flags })
  t.equal(code, 1)
  t.match(text, /^REFUSED with 401 ERR_ASSERTION_SIGNATURE/)
  t.match(text, '→ claimgate: jwks_file (')
})

t.test('the clock is read once the keys are there', async (t) => {
  const flags = ['--route', `https://${HOST}`, '--jwks-file', keyFile(t), mint({ key })]
  const { text } = await run({ flags, now: NOW_MS + 480_000 })
  t.match(text, /^REFUSED with 401 ERR_ASSERTION_EXPIRED/)
  t.match(text, 'exp 2027-01-15T08:05:00Z, 3 min ago')
})

t.test('what takes a request to judge is named', async (t) => {
  const flags = ['--route', `https://${HOST}`, '--jwks-file', keyFile(t), mint({ key })]
  t.notMatch((await run({ flags })).text, 'not judged')
  const { code, text } = await run({ flags: [...flags, '--replay-guard', 'on'] })
  t.equal(code, 0)
  t.match(text, 'not judged, since it takes a request: replay_guard\n')
})

t.test('settings that cannot be used are told as by every command', async (t) => {
  await t.rejects(run({ flags: ['a.b.c'] }), {
    name: 'ConfigError',
    problems: [
      { source: 'not set', message: /^issuer must/ },
      { source: 'not set', message: /^audience must/ },
      { source: 'not set', message: /^jwks_uri must/ },
    ],
  })
})
