import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import t, { type Test } from 'tap'
import { demoGuide } from '../../src/demo/guide.ts'
import { type Gate, startDemo } from '../../src/demo/run.ts'

/** In claimgate's place: ready at the third question, and remembers what it was started with. */
const fakeGate = (t: Test) => {
  const started: Record<string, string>[] = []
  const state = { stopped: 0, asked: 0 }
  const start = async (env: Readonly<Record<string, string>>): Promise<Gate> => {
    started.push({ ...env })
    const server = createServer((_request, response) => {
      state.asked++
      response.writeHead(state.asked < 3 ? 503 : 200).end()
    })
    server.listen(Number(env['CLAIMGATE_LISTEN']?.replace(/.*:/, '')), '127.0.0.1')
    await once(server, 'listening')
    const stop = async () => {
      state.stopped++
      server.close()
      server.closeAllConnections()
    }
    t.teardown(stop)
    const address = server.address() as AddressInfo
    return { data: address, admin: address, stop }
  }
  return { start, started, state }
}

const takePort = async (t: Test): Promise<number> => {
  const server = createTcpServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('claimgate is started between the stand-in and the app, on loopback', async (t) => {
  const gate = fakeGate(t)
  const demo = await startDemo({ host: '127.0.0.1', port: 0 }, gate.start)
  t.teardown(demo.stop)
  t.strictSame(demo.notices, [])
  t.match(gate.started, [
    {
      CLAIMGATE_UPSTREAM: demo.origins.app,
      CLAIMGATE_JWKS_URI: `${demo.origins.front}/.well-known/pomerium/jwks.json`,
      CLAIMGATE_ISSUER: 'localhost',
      CLAIMGATE_AUDIENCE: 'localhost',
      CLAIMGATE_LISTEN: '127.0.0.1:0',
      CLAIMGATE_ADMIN_LISTEN: '127.0.0.1:0',
    },
  ])
  for (const origin of Object.values(demo.origins)) t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.equal(gate.state.asked, 3, 'it waits until claimgate is ready')
})

t.test('stop closes every part', async (t) => {
  const gate = fakeGate(t)
  const demo = await startDemo({ host: '127.0.0.1', port: 0 }, gate.start)
  await demo.stop()
  t.equal(gate.state.stopped, 1)
  for (const origin of Object.values(demo.origins)) {
    await t.rejects(fetch(origin), { cause: { code: 'ECONNREFUSED' } })
  }
})

t.test('a taken port that was asked for is a configuration problem', async (t) => {
  const port = await takePort(t)
  const gate = fakeGate(t)
  await t.rejects(startDemo({ host: '127.0.0.1', port }, gate.start), {
    name: 'ConfigError',
    message: `flag --port: found ${port}, which is taken; want a free port, or 0 for any`,
  })
  t.equal(gate.started.length, 0)
})

t.test('a taken port for claimgate gives another one, and a line that says so', async (t) => {
  const gate = fakeGate(t)
  const taken = Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
  const probe = await startDemo({ host: '127.0.0.1', port: 0 }, gate.start)
  const port = Number(new URL(probe.origins.front).port)
  await probe.stop()
  const demo = await startDemo({ host: '127.0.0.1', port }, async (env) => {
    if (env['CLAIMGATE_LISTEN'] !== '127.0.0.1:0') throw taken
    return await gate.start(env)
  })
  t.teardown(demo.stop)
  t.equal(demo.origins.front, `http://127.0.0.1:${port}`)
  t.strictSame(demo.notices, [`Port ${port + 1} is taken, so another one is used.`])
})

t.test('when claimgate does not start, nothing is left listening', async (t) => {
  const fronts: string[] = []
  await t.rejects(
    startDemo({ host: '127.0.0.1', port: 0 }, async (env) => {
      fronts.push(new URL(env['CLAIMGATE_JWKS_URI'] ?? '').origin, env['CLAIMGATE_UPSTREAM'] ?? '')
      throw new Error('does not start')
    }),
    { message: 'does not start' },
  )
  t.equal(fronts.length, 2)
  for (const origin of fronts) await t.rejects(fetch(origin), { cause: { code: 'ECONNREFUSED' } })
})

t.test('the guide names the address to open and three commands', async (t) => {
  const text = demoGuide({
    front: 'http://127.0.0.1:8080',
    gate: 'http://127.0.0.1:8081',
    admin: 'http://127.0.0.1:1',
    app: 'http://127.0.0.1:2',
  })
  t.match(text, 'Open http://127.0.0.1:8080/ ')
  t.strictSame(text.match(/(?<=\$ ).*/g), [
    'curl -si -b demo_user=ana http://127.0.0.1:8080/',
    'curl -si http://127.0.0.1:8081/',
    "curl -si -b demo_user=bob -H 'X-Pomerium-Claim-Email: ana@example.com' -H 'X_Pomerium_Claim_Email: ana@example.com' -H 'X-WEBAUTH-USER: ana@example.com' http://127.0.0.1:8080/",
  ])
})
