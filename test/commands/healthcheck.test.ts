import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../e2e/processes.ts'

const check = async (
  t: Test,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) => {
  const program = run(t, [process.execPath, 'src/commands/healthcheck.ts', ...args], env)
  const [code] = await once(program.child, 'close')
  return { code, output: program.output() }
}

const startAdmin = async (t: Test, status: number | undefined) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (status !== undefined) response.writeHead(status).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

t.test('exits 0 when the admin port of the settings answers', async (t) => {
  const { port, asked } = await startAdmin(t, 200)
  const { code } = await check(t, [], { CLAIMGATE_ADMIN_LISTEN: `0.0.0.0:${port}` })
  t.equal(code, 0)
  t.strictSame(asked, ['/healthz'])
})

t.test('asks on the Unix socket of the settings', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'admin.sock')
  const server = createServer((_request, response) => response.writeHead(200).end())
  server.listen(path)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const env = { CLAIMGATE_ADMIN_LISTEN: `unix:${path}` }
  t.equal((await check(t, [], env)).code, 0)
  server.close()
  t.equal((await check(t, [], env)).code, 1)
})

t.test('asks the URL it is given', async (t) => {
  const { port, asked } = await startAdmin(t, 200)
  t.equal((await check(t, [`http://127.0.0.1:${port}/readyz`])).code, 0)
  t.strictSame(asked, ['/readyz'])
})

t.test('exits 1 and says why when the answer is not 200', async (t) => {
  const { port } = await startAdmin(t, 503)
  t.strictSame(await check(t, [`http://127.0.0.1:${port}/`]), {
    code: 1,
    output: 'unhealthy: status 503\n',
  })
})

t.test('exits 1 when nothing listens, and for what is no URL', async (t) => {
  t.strictSame(await check(t, ['http://127.0.0.1:1/']), {
    code: 1,
    output: 'unhealthy: ECONNREFUSED\n',
  })
  t.strictSame(await check(t, ['no URL']), {
    code: 1,
    output: 'unhealthy: the argument is not a URL\n',
  })
})

t.test('exits 1 after three seconds without an answer', async (t) => {
  const { port } = await startAdmin(t, undefined)
  t.strictSame(await check(t, [`http://127.0.0.1:${port}/`]), {
    code: 1,
    output: 'unhealthy: no answer within 3000 ms\n',
  })
})
