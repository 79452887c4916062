import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { doctor } from '../../src/commands/doctor.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { files } from '../helpers/settings.ts'

async function run(env: Readonly<Record<string, string>>, flags: readonly string[] = []) {
  const written: string[] = []
  const code = await doctor({
    flags,
    env,
    readFile: files({}),
    write: (text) => void written.push(text),
    now: Date.now,
    ownAddresses: [],
  })
  return { code, text: written.join('') }
}

async function startApp(t: Test): Promise<string> {
  const app = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  t.teardown(() => app.close())
  return `http://127.0.0.1:${(app.address() as { port: number }).port}`
}

t.test('everything in order: one line each, and 0', async (t) => {
  const issuer = await startIssuer(t)
  const { code, text } = await run({ ...issuer.env, CLAIMGATE_UPSTREAM: await startApp(t) })
  t.equal(code, 0)
  const lines = text.trimEnd().split('\n')
  t.ok(
    lines.every((line) => line.startsWith('✓')),
    text,
  )
  for (const about of ['settings', 'key set', 'clock', 'headers', 'upstream'])
    t.ok(
      lines.some((line) => line.startsWith(`✓ ${about} `)),
      about,
    )
})

t.test('what must be mended ends it with 1, and everything else is still looked at', async (t) => {
  const issuer = await startIssuer(t)
  await issuer.stop()
  const env = { ...issuer.env, CLAIMGATE_UPSTREAM: await startApp(t) }
  const { code, text } = await run(env, ['--json'])
  t.equal(code, 1)
  const { ok, findings } = JSON.parse(text) as { ok: boolean; findings: object[] }
  t.equal(ok, false)
  t.match(
    findings.find((finding) => 'severity' in finding && finding.severity === 'error'),
    { about: 'key set', message: /ECONNREFUSED/, change: /^jwks_connect/ },
  )
  t.match(findings.at(-1), { about: 'upstream', severity: 'ok' })
})

t.test('settings that cannot be used are findings, and 78', async (t) => {
  const { code, text } = await run({ CLAIMGATE_UPSTREAM: 'nonsense' })
  t.equal(code, 78)
  t.match(text, /^✗ settings {2}env CLAIMGATE_UPSTREAM: upstream must .* → the named setting$/m)
  t.match(text, /^✗ settings {2}not set: issuer must /m)
  const json = await run({ CLAIMGATE_UPSTREAM: 'nonsense' }, ['--json'])
  t.equal(json.code, 78)
  t.match(JSON.parse(json.text), {
    ok: false,
    findings: [{ about: 'settings', severity: 'error' }],
  })
})
