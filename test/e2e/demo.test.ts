import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { run } from './processes.ts'

const DEMO = [process.execPath, 'dist/cli.js', 'demo'] as const
const hasCurl = spawnSync('curl', ['--version']).status === 0

const startDemo = async (t: Test) => {
  const demo = run(t, [...DEMO, '--port', '0'])
  await demo.until(/Ctrl-C ends it/)
  const origin = (name: string) =>
    new RegExp(`──▶ ${name} +(http\\S+)`).exec(demo.output())?.[1] ?? ''
  return { demo, front: origin('stand-in Pomerium'), gate: origin('claimgate') }
}

/** An address of this machine that is not loopback; `undefined` where there is none. */
const networkAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address

t.test(
  'the three printed commands show what they promise',
  { skip: hasCurl ? false : 'skipped: needs curl', timeout: 60_000 },
  async (t) => {
    const tried = run(t, [process.execPath, '.ci/try-demo.mjs', ...DEMO, '--port', '0'])
    // Not only what it says: it ends its own demo after that.
    const [code] = await once(tried.child, 'exit')
    t.equal(code, 0)
    t.match(tried.output(), 'demo: 3 of 3 commands show what they promise')
  },
)

t.test('a browser is asked who it is, and then sees the page', async (t) => {
  const { front } = await startDemo(t)
  const headers = { accept: 'text/html' }
  t.match(await (await fetch(front, { headers })).text(), 'who are you?')
  const cookie = 'demo_user=bob'
  const page = await (await fetch(front, { headers: { ...headers, cookie } })).text()
  t.match(page, /<tr><th>X-WEBAUTH-USER<\/th><td>bob@example.com<\/td><\/tr>/)
  t.notMatch(page, 'eyJ')
})

t.test('a WebSocket carries the verified user, and none without an assertion', async (t) => {
  const { front, gate } = await startDemo(t)
  const headers = { cookie: 'demo_user=ana; theme=dark', 'X-WEBAUTH-USER': 'forged', Origin: front }
  const socket = new WebSocket(front.replace('http', 'ws'), ['chat'], { headers })
  t.teardown(() => socket.terminate())
  const [greeting] = await once(socket, 'message')
  const { identity, headers: arrived } = JSON.parse(String(greeting)) as Record<string, unknown>
  t.strictSame(identity, {
    'X-WEBAUTH-USER': 'ana@example.com',
    'X-WEBAUTH-EMAIL': 'ana@example.com',
    'X-WEBAUTH-NAME': 'Ana Kovač',
    'X-WEBAUTH-GROUPS': 'g-1001,g-1002,admins,staff',
  })
  t.match(arrived, { Origin: front, Cookie: 'theme=dark', 'Sec-WebSocket-Protocol': 'chat' })
  t.equal(socket.protocol, 'chat')
  socket.send('echo this')
  t.equal(String((await once(socket, 'message'))[0]), 'echo this')

  const refused = new WebSocket(gate.replace('http', 'ws'))
  const [, answer] = await once(refused, 'unexpected-response')
  t.equal(answer.statusCode, 401)
  refused.on('error', () => {})
  refused.terminate()
})

t.test('everything listens on loopback only', async (t) => {
  const { demo, front, gate } = await startDemo(t)
  const origins = demo.output().match(/http:\/\/[\d.]+/g) ?? []
  t.ok(origins.length >= 6)
  t.strictSame([...new Set(origins)], ['http://127.0.0.1'])
  const outside = networkAddress()
  for (const origin of outside === undefined ? [] : [front, gate]) {
    const socket = connect(Number(new URL(origin).port), outside)
    const [error] = await once(socket, 'error')
    t.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED', `${origin} from outside`)
  }
})

t.test('any other address than loopback is refused with 78', async (t) => {
  const demo = run(t, [...DEMO, '--host', '0.0.0.0'])
  await demo.until(/^flag --host: found "0\.0\.0\.0"; want a loopback address/m)
  const [code] =
    demo.child.exitCode === null ? await once(demo.child, 'exit') : [demo.child.exitCode]
  t.equal(code, 78)
})

t.test('Ctrl-C and SIGTERM end it with 0, even with a WebSocket open', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const { demo, front } = await startDemo(t)
    const headers = { cookie: 'demo_user=ana' }
    const socket = new WebSocket(front.replace('http', 'ws'), { headers })
    socket.on('error', () => {})
    await once(socket, 'message')
    t.equal(await demo.end(signal), 0, signal)
  }
})
