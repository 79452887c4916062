import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createLossReporter, openAudit } from '../../src/audit/audit.ts'
import { createExchange } from '../../src/exchange.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'
import { exchangeBytes } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const CLOSE = ['Connection: close']

function temporaryFile(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'audit.log')
}

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

t.test('audit_log: off opens nothing', async (t) => {
  const deps = { log: createLogRecorder() as never, now: () => 0, onDropped: () => undefined }
  t.equal(openAudit({ auditLog: undefined, auditFields: ['sub'] }, deps), undefined)
})

t.test('each request has one line, with the id that its log line has', async (t) => {
  const app = await rawUpstream()
  t.teardown(() => app.close())
  const auditLog = temporaryFile(t)
  const gate = await startClaimgate(t, app.port, { auditLog })
  const assertion = gate.assertion()
  for (const stamp of [assertion, undefined])
    await exchangeBytes(
      gate.port,
      requestBytes(stamp, {
        line: 'GET /t?secret HTTP/1.1',
        lines: [...CLOSE, 'Cookie: secret', 'Authorization: Basic secret'],
      }),
    )
  await exchangeBytes(gate.port, 'no HTTP\r\n\r\n')
  await gate.gate.drain()
  const lines = linesOf(auditLog)
  t.match(lines, [
    { decision: 'forward', status: 200, method: 'GET', path: '/t', email: 'ann@example.com' },
    { decision: 'reject', status: 401, code: 'ERR_ASSERTION_MISSING' },
    { decision: 'reject', status: 400, code: 'ERR_REQUEST_MALFORMED', method: '-' },
  ])
  t.strictSame(
    lines.map(({ request_id }) => request_id),
    gate
      .logLines()
      .filter(({ msg }) => msg === 'request')
      .map(({ request_id }) => request_id),
  )
  const text = readFileSync(auditLog, 'utf8')
  t.notMatch(text, /secret/)
  for (const part of assertion.split('.')) t.notOk(text.includes(part))
})

t.test('an audit log that cannot be opened is told before a listener opens', async (t) => {
  const auditLog = join(temporaryFile(t), 'absent')
  await t.rejects(startClaimgate(t, 1, { auditLog }), { code: 'ENOENT' })
})

t.test('lost lines are all counted, and logged in sums every ten seconds', async (t) => {
  const log = createLogRecorder()
  let now = 50_000
  let counted = 0
  const onDropped = (lines: number) => {
    counted += lines
  }
  const onLost = createLossReporter({ log: log as never, now: () => now, onDropped })
  for (let i = 0; i < 100; i++) onLost(2, 'ENOSPC')
  t.equal(counted, 200)
  const message = 'audit lines dropped'
  t.same(log.lines, [{ level: 'warn', message, fields: { lines: 2, cause: 'ENOSPC' } }])
  now += 10_000
  onLost(1, 'EIO')
  t.same(log.lines[1]?.fields, { lines: 199, cause: 'EIO' })
  now -= 3_600_000
  onLost(5, 'EIO')
  t.same(log.lines[2]?.fields, { lines: 5, cause: 'EIO' }, 'a clock that was set back')
})

/** Writes so many lines to an audit log on standard output, as the program would. */
const PROGRAM = `
import { openAudit } from '../../src/audit/audit.ts'
import { createExchange } from '../../src/exchange.ts'
const [lines] = process.argv.slice(1).map(Number)
let dropped = 0
const audit = openAudit(
  { auditLog: 'stdout', auditFields: ['path'] },
  { log: { warn: () => undefined }, now: Date.now, onDropped: (lost) => { dropped += lost } },
)
for (let i = 0; i < lines; i++) audit.end(createExchange({ method: 'GET', target: '/' + i }, 0), 0)
await audit.close()
process.stderr.write(String(dropped), () => process.exit())
`

function program(lines: number) {
  const from = new URL('.', import.meta.url)
  const code = PROGRAM.replaceAll('../../src', new URL('../../src', from).pathname)
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', code, String(lines)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

t.test('audit_log: stdout writes the lines to standard output', async (t) => {
  const child = program(3)
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  t.strictSame(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).path),
    ['/0', '/1', '/2'],
  )
})

t.test('a reader that does not read holds neither requests nor the end', async (t) => {
  const child = program(200_000)
  t.teardown(() => child.kill('SIGKILL'))
  let dropped = ''
  child.stderr.on('data', (chunk) => {
    dropped += chunk
  })
  const [status] = await once(child, 'exit')
  t.equal(status, 0, 'the program ended by itself')
  t.ok(Number(dropped) > 100_000 && Number(dropped) < 200_000, `${dropped} lines were counted`)
  child.stdout.destroy()
})

t.test('an exchange without an assertion has a line, too', async (t) => {
  const auditLog = temporaryFile(t)
  const deps = { log: createLogRecorder() as never, now: () => 0, onDropped: () => undefined }
  const audit = openAudit({ auditLog, auditFields: ['method'] }, deps)
  audit?.begin()
  audit?.end(createExchange({ method: '-', target: '' }, 0), 0)
  await audit?.close()
  t.strictSame(linesOf(auditLog), [
    { audit: 'request', time: '1970-01-01T00:00:00.000Z', method: '-' },
  ])
})
