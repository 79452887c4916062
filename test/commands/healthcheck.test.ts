import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net'
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

/** A server of raw bytes: each chunk in a turn of its own. */
const startRaw = async (t: Test, chunks: readonly string[]) => {
  const heads: string[] = []
  const server = createNetServer((socket: Socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.once('data', async (head: Buffer) => {
      heads.push(head.toString('latin1'))
      for (const chunk of chunks)
        await new Promise((resolve) => socket.write(chunk, () => setImmediate(resolve)))
      socket.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, heads }
}

t.test('asks in HTTP/1.1, with the host of the URL and its query, for one answer', async (t) => {
  const { port, heads } = await startRaw(t, ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'])
  t.equal((await check(t, [`http://127.0.0.1:${port}/a?b=c#d`])).code, 0)
  const head = `GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`
  t.strictSame(heads, [head])
})

t.test('a status that comes in pieces is read as a whole', async (t) => {
  const good = await startRaw(t, ['HT', 'TP/1.1 2', '00 OK\r\n\r\n'])
  t.equal((await check(t, [`http://127.0.0.1:${good.port}/`])).code, 0)
  const bad = await startRaw(t, ['HTTP/1.1 20', '4 No Content\r\n\r\n'])
  t.strictSame(await check(t, [`http://127.0.0.1:${bad.port}/`]), {
    code: 1,
    output: 'unhealthy: status 204\n',
  })
})

t.test('exits 1 when what answers does not speak HTTP, or says nothing', async (t) => {
  for (const chunks of [['220 mail.example.com ESMTP\r\n'], ['HTTP/1.1 '], []]) {
    const { port } = await startRaw(t, chunks)
    t.strictSame(await check(t, [`http://127.0.0.1:${port}/`]), {
      code: 1,
      output: 'unhealthy: no answer of HTTP\n',
    })
  }
})

t.test('exits 1 for a URL of another protocol', async (t) => {
  t.strictSame(await check(t, ['https://127.0.0.1:1/']), {
    code: 1,
    output: 'unhealthy: only URLs of http are asked\n',
  })
})

t.test('loads no HTTP client, which would take memory from claimgate', async (t) => {
  const { port } = await startAdmin(t, 200)
  const program = run(t, [
    process.execPath,
    '--import',
    `data:text/javascript,process.on('exit', () => console.log(process.moduleLoadList.filter((name) => /NativeModule (_?http|https|undici|tls)/.test(name)).join()))`,
    'src/commands/healthcheck.ts',
    `http://127.0.0.1:${port}/`,
  ])
  const [code] = await once(program.child, 'close')
  t.strictSame({ code, output: program.output() }, { code: 0, output: '\n' })
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
