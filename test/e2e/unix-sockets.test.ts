// The built program with both of its ports on Unix sockets.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startIssuer } from '../helpers/issuer.ts'
import { spawnProgram } from '../helpers/program.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

function socketPath(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'data.sock')
}

/** The answer to a request on a Unix socket. */
const ask = (path: string, target: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const asked = request({ socketPath: path, path: target, headers, agent: false })
    asked.on('error', reject)
    asked.on('response', async (response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ status: response.statusCode, body })
    })
    asked.end()
  })

t.test('both ports work on Unix sockets, and their files go at the end', async (t) => {
  const app = await rawUpstream()
  t.teardown(() => app.close())
  const path = socketPath(t)
  const adminPath = `${path}-admin`
  const issuer = await startIssuer(t)
  const program = spawnProgram(t, {
    env: {
      ...issuer.env,
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
      CLAIMGATE_LISTEN: `unix:${path}`,
      CLAIMGATE_ADMIN_LISTEN: `unix:${adminPath}`,
      CLAIMGATE_DRAIN_DELAY: '0s',
    },
    before: 'umask 0117',
  })
  let output = ''
  program.child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  const deadline = Date.now() + 30_000
  const isReady = () =>
    ask(adminPath, '/readyz').then(
      ({ status }) => status === 200,
      () => false,
    )
  while (!(await isReady()) && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50))
  t.match(output, `"listen":"unix:${path}","admin_listen":"unix:${adminPath}"`)
  t.equal((statSync(path).mode & 0o777).toString(8), '660', 'the mode is what umask leaves')
  const good = await ask(path, '/t', {
    Host: 'app.example.com',
    'X-Pomerium-Jwt-Assertion': issuer.assertion(),
  })
  t.same(good, { status: 200, body: 'ok' })
  t.equal((await ask(path, '/t')).status, 401)
  program.child.kill('SIGTERM')
  t.equal((await program.exit).code, 0)
  t.notOk(existsSync(path))
  t.notOk(existsSync(adminPath))
})
