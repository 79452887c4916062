// The files that the image starts from: what packages would load in vain is not in them.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { requestBytes } from '../helpers/claimgate.ts'
import { startIssuer } from '../helpers/issuer.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { type Program, startProgram } from '../helpers/program.ts'
import { startApp } from './app.ts'

/** Tells at the end whether Node's own fetch was loaded. */
const TELL = `data:text/javascript,${encodeURIComponent(`process.on('exit', () => {
  const isLoaded = process.moduleLoadList.includes('NativeModule internal/deps/undici/undici')
  process.stderr.write(isLoaded ? 'own fetch loaded' : 'own fetch left')
})`)}`

function makeBundle(folder: string): string {
  execFileSync(process.execPath, ['scripts/bundle.ts', join(folder, 'dist')])
  cpSync('package.json', join(folder, 'package.json'))
  return join(folder, 'dist', 'cli.js')
}

async function askTwice({ port }: Program, assertion: string): Promise<readonly number[]> {
  const client = await keepAliveClient({ port })
  const good = await client.ask(requestBytes(assertion))
  const bad = await client.ask(requestBytes(`${assertion.slice(0, -4)}AAAA`))
  client.end()
  return [good.status, bad.status]
}

t.test('the bundle serves, refuses and ends in order without what is left out of it', async (t) => {
  const cli = makeBundle(t.testdir())
  const issuer = await startIssuer(t)
  const app = await startApp(t)
  const program = await startProgram(t, {
    cli,
    env: { ...issuer.env, CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}` },
    nodeArguments: ['--import', TELL],
  })
  await program.untilReady()
  t.same(await askTwice(program, issuer.assertion()), [200, 401])
  t.equal(app.arrived(), 1)
  t.equal(await program.metric('claimgate_rejections_total'), 1)
  program.child.kill('SIGTERM')
  t.equal((await program.exit).code, 0)
  t.match(program.output(), /own fetch left/)
})

t.test('the bundle reads a file of settings, and says what is wrong with one', async (t) => {
  const folder = t.testdir()
  const cli = makeBundle(folder)
  const check = (yaml: string) => {
    const file = join(folder, 'settings.yaml')
    writeFileSync(file, yaml)
    const { status, stdout } = spawnSync(process.execPath, [cli, 'check', '--config', file])
    return { status, stdout: stdout.toString() }
  }
  const good = check('upstream: http://127.0.0.1:9000\nroute: https://app.example.com\n')
  t.equal(good.status, 0)
  t.match(good.stdout, /route +https:\/\/app\.example\.com/)
  const bad = check('issuer: [a\n')
  t.equal(bad.status, 78)
  t.match(bad.stdout, /settings\.yaml:\d+:\d+: the file must be one valid YAML document/)
})
