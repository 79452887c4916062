import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Config } from '../src/config/config.ts'
import { openBlackBox } from './helpers/black-box.ts'
import { createAuthority } from './helpers/certificates.ts'
import { header, requestBytes, startClaimgate } from './helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from './helpers/raw-client.ts'
import { rawUpstream } from './helpers/raw-upstream.ts'

const CLOSE = ['Connection: close']

async function setUp(t: Test, changes: Partial<Config> = {}, upstream = rawUpstream()) {
  const app = await upstream
  t.teardown(() => app.close())
  return { app, gate: await startClaimgate(t, app.port, changes) }
}

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

const admin = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, text: await response.text() }
}

t.test('the admin port tells live, ready, started and the metrics', async (t) => {
  const { gate } = await setUp(t)
  t.same(await admin(gate.adminPort, '/healthz'), { status: 200, text: '{"live":true}' })
  t.same(await admin(gate.adminPort, '/readyz'), {
    status: 200,
    text: '{"ready":true,"reasons":[]}',
  })
  t.same(await admin(gate.adminPort, '/startupz'), { status: 200, text: '{"started":true}' })
  t.same(await admin(gate.adminPort, '/ping'), { status: 200, text: 'pong\n' })
  await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: [...CLOSE, 'X-Pomerium-Claim-Email: m'] }),
  )
  await exchangeBytes(gate.port, requestBytes(undefined, { lines: CLOSE }))
  const { text } = await admin(gate.adminPort, '/metrics')
  for (const line of [
    'claimgate_requests_total{decision="forward",status="200"} 1',
    'claimgate_requests_total{decision="reject",status="401"} 1',
    'claimgate_rejections_total{code="ERR_ASSERTION_MISSING"} 1',
    'claimgate_requests_in_flight 0',
    'claimgate_stripped_headers_total 1',
    'claimgate_key_set_keys 1',
    'claimgate_assertion_age_seconds_count 1',
  ])
    t.match(text, line)
  t.equal((await admin(gate.adminPort, '/other')).status, 404)
})

t.test(
  'without a key set: alive, not ready, 503 with Retry-After, nothing forwarded',
  async (t) => {
    const { app, gate } = await setUp(t)
    const cold = await startColdClaimgate(t, app.port)
    t.equal((await admin(cold.adminPort, '/healthz')).status, 200)
    const ready = await admin(cold.adminPort, '/readyz')
    t.equal(ready.status, 503)
    t.match(JSON.parse(ready.text), { ready: false, reasons: [/^key set: /] })
    const answer = await exchangeBytes(cold.port, requestBytes(gate.assertion(), { lines: CLOSE }))
    t.equal(statusOf(answer), 503)
    t.equal(codeOf(answer), 'ERR_KEY_SET_UNAVAILABLE')
    t.match(answer, /\r\nRetry-After: \d+\r\n/)
    t.equal(app.connections(), 0)
  },
)

/** claimgate whose key set cannot be loaded. */
async function startColdClaimgate(t: Test, upstreamPort: number) {
  const { createClaimgate } = await import('../src/server.ts')
  const { createLog } = await import('../src/log.ts')
  const { testConfig } = await import('./helpers/claimgate.ts')
  const config = { ...testConfig(upstreamPort, join(temporaryFolder(t), 'absent.json')) }
  const gate = await createClaimgate(config, { log: createLog({ ...config, logLevel: 'silent' }) })
  const { data, admin: adminAddress } = await gate.start()
  t.teardown(() => gate.drain())
  return { port: data.port, adminPort: adminAddress?.port ?? 0 }
}

t.test('the status page shows the visitor their claims and the headers the app gets', async (t) => {
  const { app, gate } = await setUp(t, { forwardAssertion: true })
  const json = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion({ name: '<b>' }), {
      line: 'GET /.claimgate HTTP/1.1',
      lines: CLOSE,
    }),
  )
  t.equal(statusOf(json), 200)
  const body = JSON.parse(json.split('\r\n\r\n')[1] ?? '')
  t.equal(body.claims.email, 'ann@example.com')
  t.equal(body.headers['X-Pomerium-Claim-Email'], 'ann@example.com')
  t.equal(body.headers['X-Pomerium-Jwt-Assertion'], '(the assertion)')
  const page = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion({ name: '<b>' }), {
      line: 'GET /.claimgate?x HTTP/1.1',
      lines: [...CLOSE, 'Accept: text/html'],
    }),
  )
  t.match(page, /\r\nContent-Security-Policy: default-src 'none'/)
  t.match(page, '&lt;b&gt;')
  t.notMatch(page, '<b>')
  const refused = await exchangeBytes(
    gate.port,
    requestBytes(undefined, { line: 'GET /.claimgate HTTP/1.1', lines: CLOSE }),
  )
  t.equal(statusOf(refused), 401)
  const posted = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), {
      line: 'POST /.claimgate HTTP/1.1',
      lines: [...CLOSE, 'Content-Length: 0'],
    }),
  )
  t.equal(statusOf(posted), 405)
  t.match(posted, '\r\nAllow: GET, HEAD\r\n')
  const line = gate.logLines().find((one) => one['status'] === 405)
  t.match(line, { decision: 'reject', code: 'ERR_REQUEST_MALFORMED' })
  t.equal(app.connections(), 0)
})

t.test('status_path: off leaves the path to the app', async (t) => {
  const { app, gate } = await setUp(t, { statusPath: undefined })
  await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { line: 'GET /.claimgate HTTP/1.1', lines: CLOSE }),
  )
  t.match(app.received()[0], /^GET \/\.claimgate HTTP/)
})

t.test('a browser gets its refusal as a page, error_detail: none hides the code', async (t) => {
  const { gate } = await setUp(t)
  const page = await exchangeBytes(
    gate.port,
    requestBytes(undefined, { lines: [...CLOSE, 'Accept: text/html,*/*;q=0.8'] }),
  )
  t.match(page, /\r\nContent-Type: text\/html; charset=utf-8\r\n/)
  t.match(page, 'ERR_ASSERTION_MISSING')
  const { gate: discreet } = await setUp(t, { errorDetail: 'none' })
  const answer = await exchangeBytes(discreet.port, requestBytes('a.b.c', { lines: CLOSE }))
  t.equal(statusOf(answer), 401)
  t.notMatch(answer, /ERR_/)
})

t.test(
  'one log line per request, also for refused, aborted and malformed ones, and no secret in it',
  async (t) => {
    const { gate } = await setUp(t)
    const good = gate.assertion()
    await exchangeBytes(
      gate.port,
      requestBytes(good, {
        line: 'GET /a?token=secret HTTP/1.1',
        lines: [...CLOSE, 'Cookie: c=secret', 'Authorization: secret'],
      }),
    )
    await exchangeBytes(
      gate.port,
      requestBytes(`${good.slice(0, -4)}AAAA`, {
        line: 'GET /b?token=secret HTTP/1.1',
        lines: CLOSE,
      }),
    )
    await exchangeBytes(gate.port, 'NOT HTTP secret\r\n\r\n')
    const lines = gate.logLines().filter(({ msg }) => msg === 'request')
    t.match(lines, [
      {
        method: 'GET',
        path: '/a',
        status: 200,
        decision: 'forward',
        sub: 'user-1',
        email: 'ann@example.com',
        jti: /^jti-/,
        kid: gate.key.kid,
        bytes: 2,
      },
      {
        method: 'GET',
        path: '/b',
        status: 401,
        decision: 'reject',
        code: 'ERR_ASSERTION_SIGNATURE',
      },
      { method: '-', path: '', status: 400, decision: 'reject', code: 'ERR_REQUEST_MALFORMED' },
    ])
    t.equal(lines.length, 3)
    const all = JSON.stringify(gate.logLines())
    t.notMatch(all, 'secret')
    t.notMatch(all, good.split('.')[2] ?? '?')
  },
)

t.test('an upstream that does not answer in time gives 504', async (t) => {
  const { gate } = await setUp(
    t,
    { upstreamResponseTimeout: 200 },
    rawUpstream(() => undefined),
  )
  const answer = await exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: CLOSE }))
  t.equal(statusOf(answer), 504)
  t.equal(codeOf(answer), 'ERR_UPSTREAM_TIMEOUT')
})

t.test('a client that stops sending its body is answered with 408', async (t) => {
  const { gate } = await setUp(
    t,
    { bodyIdleTimeout: 150 },
    rawUpstream(() => undefined),
  )
  for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
    const client = await rawClient(gate.port)
    client.send(
      requestBytes(gate.assertion(), { line: 'POST /t HTTP/1.1', lines: [framing], body: '1\r\n' }),
    )
    t.equal(statusOf(await client.untilClose()), 408)
  }
})

t.test('a client that never completes its head is cut off', async (t) => {
  const { gate } = await setUp(t, { headerTimeout: 150 })
  const client = await rawClient(gate.port)
  client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ')
  t.equal(statusOf(await client.untilClose()), 408)
})

t.test('a client that sends nothing at all is left without an answer', async (t) => {
  const { gate } = await setUp(t, { headerTimeout: 150 })
  const client = await rawClient(gate.port)
  t.equal(await client.untilClose(), '')
  t.same(
    gate.logLines().filter(({ msg }) => msg === 'request'),
    [],
  )
})

t.test('connections beyond max_connections are refused', async (t) => {
  const { app, gate } = await setUp(t, { maxConnections: 1 })
  const first = await rawClient(gate.port)
  const second = await rawClient(gate.port)
  second.send(requestBytes(gate.assertion()).repeat(3))
  const refused = await second.untilClose()
  t.equal(statusOf(refused), 503)
  t.equal(codeOf(refused), 'ERR_OVERLOADED')
  t.match(refused, /\r\nRetry-After: \d+\r\n/)
  t.equal(app.connections(), 0)
  first.send(requestBytes(gate.assertion(), { lines: CLOSE }))
  t.equal(statusOf(await first.untilClose()), 200)
})

t.test('an assertion that fills 100 KiB of header passes', async (t) => {
  const { gate } = await setUp(t, { identityHeaders: [] })
  const groups = Array.from({ length: 1000 }, (_, i) => `${i}-${'g'.repeat(70)}`)
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion({ groups }), { lines: CLOSE }),
  )
  t.equal(statusOf(answer), 200)
  const tooLarge = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: [`X: ${'x'.repeat(140_000)}`] }),
  )
  t.equal(statusOf(tooLarge), 431)
})

t.test('names outside Latin-1 arrive as UTF-8 bytes', async (t) => {
  const { app, gate } = await setUp(t, { identityHeaders: [header('X-Name', 'name')] })
  await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion({ name: 'Žofie 日本' }), { lines: CLOSE }),
  )
  t.match(Buffer.from(app.received()[0] ?? '', 'latin1').toString(), '\r\nX-Name: Žofie 日本\r\n')
})

t.test('the assertion can come in Authorization', async (t) => {
  const { app, gate } = await setUp(t, { assertionHeader: 'Authorization' })
  const answer = await exchangeBytes(
    gate.port,
    requestBytes(undefined, { lines: [...CLOSE, `authorization: Bearer ${gate.assertion()}`] }),
  )
  t.equal(statusOf(answer), 200)
  t.notMatch(app.received()[0], /authorization/i)
})

t.test(
  'replay_guard: on lets an assertion pass once, for requests and handshakes together',
  async (t) => {
    const { app, gate } = await setUp(t, { replayGuard: 'on' })
    const assertion = gate.assertion()
    const ask = (lines: readonly string[]) =>
      exchangeBytes(gate.port, requestBytes(assertion, { lines }))
    t.equal(statusOf(await ask(CLOSE)), 200)
    const again = await ask(CLOSE)
    t.equal(statusOf(again), 401)
    t.equal(codeOf(again), 'ERR_ASSERTION_REPLAYED')
    const handshake = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']
    t.equal(codeOf(await ask(handshake)), 'ERR_ASSERTION_REPLAYED')
    t.equal(app.connections(), 1)
    t.match((await admin(gate.adminPort, '/metrics')).text, /^claimgate_replay_guard_entries 1$/m)
  },
)

t.test('preserve_host: false sends the Host of the upstream', async (t) => {
  const { app, gate } = await setUp(t, { preserveHost: false })
  await exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: CLOSE }))
  t.match(app.received()[0], `\r\nHost: 127.0.0.1:${app.port}\r\n`)
})

t.test('an upstream on a Unix socket is reached', async (t) => {
  const path = join(temporaryFolder(t), 'app.sock')
  const app = createHttpServer((request, response) =>
    response.end(request.headers['x-pomerium-claim-email']),
  )
  app.listen(path)
  await once(app, 'listening')
  t.teardown(() => app.close())
  const gate = await startClaimgate(t, 0, { upstream: { protocol: 'unix:', path } })
  const answer = await exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: CLOSE }))
  t.match(answer, /ann@example\.com/)
})

t.test('an https upstream is verified: CA, name and client certificate', async (t) => {
  const folder = temporaryFolder(t)
  const authority = createAuthority()
  const write = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const client = authority.issue({ names: ['claimgate'] })
  const caFile = write('ca.pem', authority.cert)
  const clientCertFile = write('client.pem', client.cert)
  const clientKeyFile = write('client.key', client.key)
  const app = createHttpsServer(
    {
      ...authority.issue({ names: ['app.internal'] }),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const { authorized } = request.socket as import('node:tls').TLSSocket
      response.end(`client certificate: ${authorized}`)
    },
  )
  app.listen(0, '127.0.0.1')
  await once(app, 'listening')
  t.teardown(() => app.close())
  const none = {
    caFile: undefined,
    serverName: undefined,
    clientCertFile: undefined,
    clientKeyFile: undefined,
  }
  const ask = async (upstreamTls: Config['upstreamTls']) => {
    const upstream = { protocol: 'https:', hostname: '127.0.0.1', port: portOf(app) } as const
    const gate = await startClaimgate(t, 0, { upstream, upstreamTls })
    // The client's Host must not choose the name that is verified.
    return exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: CLOSE }))
  }
  t.equal(statusOf(await ask(none)), 502, 'unknown CA')
  t.equal(statusOf(await ask({ ...none, caFile })), 502, 'another name')
  t.match(await ask({ ...none, caFile, serverName: 'app.internal' }), 'client certificate: false')
  t.match(
    await ask({ caFile, serverName: 'app.internal', clientCertFile, clientKeyFile }),
    'client certificate: true',
  )
})

const portOf = (server: Server) => (server.address() as AddressInfo).port

t.test(
  'draining answers what is under way, closes idle connections and accepts no more',
  async (t) => {
    let answer: (() => void) | undefined
    const { app, gate } = await setUp(
      t,
      {},
      rawUpstream((socket) => {
        socket.once('data', () => {
          answer = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        })
      }),
    )
    const idle = await rawClient(gate.port)
    const silent = await rawClient(gate.port)
    idle.send(requestBytes(undefined))
    await idle.until('ERR_ASSERTION_MISSING')
    const busy = await rawClient(gate.port)
    busy.send(requestBytes(gate.assertion()))
    await app.until('\r\n\r\n')
    const drained = gate.gate.drain()
    await idle.untilClose()
    await silent.untilClose()
    t.equal((await admin(gate.adminPort, '/readyz')).status, 503)
    answer?.()
    t.match(await busy.untilClose(), /\r\nConnection: close\r\n[\s\S]*ok$/)
    await drained
    await t.rejects(rawClient(gate.port))
  },
)

t.test(
  'a denied or replayed assertion is in the log by its user, and not in the answer',
  async (t) => {
    const { gate } = await setUp(t, { allow: [], replayGuard: 'on' })
    const assertion = gate.assertion()
    for (const code of ['ERR_POLICY_DENIED', 'ERR_ASSERTION_REPLAYED']) {
      const answer = await exchangeBytes(gate.port, requestBytes(assertion, { lines: CLOSE }))
      t.equal(codeOf(answer), code)
      t.notMatch(answer, /user-1|ann@|jti-/)
      t.match(
        gate.logLines().find((line) => line['code'] === code),
        {
          decision: 'reject',
          sub: 'user-1',
          email: 'ann@example.com',
          jti: /^jti-\d+$/,
          kid: gate.key.kid,
        },
      )
    }
  },
)

t.test('a claim that no header can hold is logged with its user', async (t) => {
  const { gate } = await setUp(t)
  const assertion = gate.assertion({ name: 'a\nb' })
  const answer = await exchangeBytes(gate.port, requestBytes(assertion, { lines: CLOSE }))
  t.equal(codeOf(answer), 'ERR_ASSERTION_CLAIM')
  t.match(
    gate.logLines().find((line) => line['code'] === 'ERR_ASSERTION_CLAIM'),
    { sub: 'user-1', reason: 'a control character' },
  )
})

t.test('log_email: false leaves the e-mail out of the log and nothing else', async (t) => {
  const { app, gate } = await setUp(t, { logEmail: false })
  await exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: CLOSE }))
  t.match(
    gate.logLines().find(({ msg }) => msg === 'request'),
    { sub: 'user-1', jti: /^jti-/ },
  )
  t.notMatch(JSON.stringify(gate.logLines()), 'ann@example.com')
  t.match(app.received()[0], 'ann@example.com', 'the app gets it all the same')
})

t.test('the life of a tunnel is measured at its end, that of a request is not', async (t) => {
  const { claimgate, send } = await openBlackBox(t)
  const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  await send(requestBytes(claimgate.assertion()))
  t.equal((await send(requestBytes(claimgate.assertion(), { lines }))).status, 101)
  const deadline = Date.now() + 5_000
  let text = ''
  while (!text.includes('claimgate_tunnel_duration_seconds_count 1') && Date.now() < deadline)
    ({ text } = await admin(claimgate.adminPort, '/metrics'))
  t.match(text, 'claimgate_tunnel_duration_seconds_count 1')
  t.match(text, 'claimgate_tunnel_duration_seconds_bucket{le="10"} 1')
})
