import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { keepServerTls } from '../../src/tls/keeper.ts'
import { readServerTls, type ServerTls } from '../../src/tls/material.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'
import { writeTlsFiles } from '../helpers/transport.ts'

function setUp(t: Test) {
  const files = writeTlsFiles(t)
  const used: ServerTls[] = []
  const results: string[] = []
  const log = createLogRecorder()
  const followed: (readonly string[])[] = []
  let change: () => void = () => undefined
  const keeper = keepServerTls(files, readServerTls(files), {
    use: (tls) => void used.push(tls),
    watch({ onChange }) {
      change = onChange
      return { follow: (paths) => void followed.push(paths), close: () => undefined }
    },
    onReload: (result) => void results.push(result),
    log,
  })
  return { files, used, results, log, followed, keeper, change: () => change() }
}

t.test('a change of the files is taken into use', async (t) => {
  const { files, used, results, log, keeper, change } = setUp(t)
  const next = writeTlsFiles(t)
  writeFileSync(files.certFile, readFileSync(next.certFile))
  writeFileSync(files.keyFile, readFileSync(next.keyFile))
  change()
  const cert = readFileSync(next.certFile, 'utf8')
  t.match(used, [{ cert }])
  t.match(keeper.inUse(), { cert })
  t.strictSame(results, ['ok'])
  t.match(log.lines, [
    { level: 'info', fields: { expires: /^\d{4}-/ }, message: 'tls files reloaded' },
  ])
})

t.test('bad files leave the last good ones in use, and each problem is told', async (t) => {
  const { files, used, results, log, keeper, change } = setUp(t)
  const before = keeper.inUse()
  writeFileSync(files.certFile, 'half')
  writeFileSync(files.keyFile, '')
  change()
  t.strictSame(used, [])
  t.equal(keeper.inUse(), before)
  t.strictSame(results, ['error'])
  const message = 'tls files not reloaded, the last good ones stay'
  t.match(log.lines, [
    { level: 'warn', fields: { source: files.certFile, problem: /^tls_cert_file must/ }, message },
    { level: 'warn', fields: { source: files.keyFile, problem: /^tls_key_file must/ }, message },
  ])
})

t.test('other files can take their place', async (t) => {
  const { used, followed, keeper } = setUp(t)
  const next = writeTlsFiles(t)
  keeper.follow(next)
  t.match(used, [{ cert: readFileSync(next.certFile, 'utf8') }])
  t.strictSame(followed.at(-1), [next.certFile, next.keyFile])
  keeper.follow({ ...next, clientCaFile: '/absent' })
  t.equal(used.length, 1, 'the last good ones stay')
  t.strictSame(followed.at(-1), [next.certFile, next.keyFile, '/absent'])
})
