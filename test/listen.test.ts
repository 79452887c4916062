import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Bound, listenOn } from '../src/listen.ts'

function socketPath(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'data.sock')
}

async function listening(t: Test, path: string): Promise<Bound> {
  const server = createNetServer()
  t.teardown(() => server.close())
  return listenOn(server, { path })
}

t.test('an address is told as it is written in settings', async (t) => {
  for (const [host, pattern] of [
    ['127.0.0.1', /^127\.0\.0\.1:\d+$/],
    ['::1', /^\[::1\]:\d+$/],
  ] as const) {
    const server = createNetServer()
    t.teardown(() => server.close())
    const { authority, port } = await listenOn(server, { host, port: 0 })
    t.match(authority, pattern)
    t.ok(authority.endsWith(`:${port}`))
  }
  const path = socketPath(t)
  t.match(await listening(t, path), { port: 0, authority: `unix:${path}` })
})

t.test('a socket that nobody answers on is replaced', async (t) => {
  const path = socketPath(t)
  const left = await startAndKill(path)
  t.ok(left, 'the killed process has left its socket')
  await listening(t, path)
})

/** A process that listens on the path and is killed; whether the file is still there. */
async function startAndKill(path: string): Promise<boolean> {
  const { spawn } = await import('node:child_process')
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)},()=>console.log('up'))`
  const child = spawn(process.execPath, ['-e', code])
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  return existsSync(path)
}

t.test('a socket that is answered is left alone', async (t) => {
  const path = socketPath(t)
  await listening(t, path)
  await t.rejects(listening(t, path), {
    message: `cannot listen on unix:${path}: another process answers there`,
  })
  t.ok(existsSync(path))
})

t.test('what is no socket is never removed', async (t) => {
  const path = socketPath(t)
  writeFileSync(path, 'precious')
  await t.rejects(listening(t, path), { message: `cannot listen on unix:${path}: it is no socket` })
  t.equal(statSync(path).size, 8)
})
