import { requestBytes } from '../../helpers/claimgate.ts'
import { keepAliveClient } from '../../helpers/keep-alive-client.ts'
import { createKey, type SigningKey } from '../../helpers/keys.ts'
import { mint } from '../../helpers/mint.ts'
import { type Program, pause, startProgram, until } from '../../helpers/program.ts'
import { exchangeBytes, rawClient } from '../../helpers/raw-client.ts'
import { inParallel } from '../wire/in-parallel.ts'
import { allAttacks } from './attacks.ts'
import { type Interpreter, median, only } from './trial.ts'

const now = () => Math.floor(Date.now() / 1000)

/** One bad assertion for each reason to refuse one; `undefined`: none at all. */
function refusals(key: SigningKey): Readonly<Record<string, () => string | undefined>> {
  const bad = (claims: Readonly<Record<string, unknown>>) => () => mint({ key, now: now(), claims })
  return {
    missing: () => undefined,
    empty: () => '',
    malformed: () => 'a.b',
    algorithm: () => mint({ key, now: now(), header: { alg: 'none' } }),
    critical: () => mint({ key, now: now(), header: { crit: ['b64'] } }),
    key: () => mint({ key: createKey(), now: now() }),
    signature: () => mint({ key: createKey('ES256', key.kid), now: now() }),
    issuer: bad({ iss: 'evil.example' }),
    audience: bad({ aud: 'evil.example' }),
    expired: () => mint({ key, now: now() - 3600 }),
    'not yet': bad({ nbf: now() + 3600 }),
    claim: bad({ iat: 'soon' }),
    anonymous: bad({ sub: '' }),
    'too large': () => mint({ key, now: now() }) + 'A'.repeat(100_000),
  }
}

/** A fiftieth of the case's. */
const ROUNDS = 20
const TIMED = 300

const reasonOracle = only(async ({ start, issuer, is, ok, t }) => {
  const program = await start({ CLAIMGATE_ERROR_DETAIL: 'none' })
  const client = await keepAliveClient(program)
  const seen = new Map<string, string>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [reason, token] of Object.entries(refusals(issuer.key()))) {
      const { head, body } = await client.ask(requestBytes(token()))
      const id = /X-Request-Id: (\S+)/.exec(head)?.[1] ?? ''
      const answer = `${head}\n${body}`.replaceAll(id, 'ID').replace(/Date: .*/, 'Date')
      seen.set(answer, `${seen.get(answer) ?? ''} ${reason}`)
    }
  }
  is(seen.size, 1, 'how many answers there are')
  for (const [answer, reasons] of seen) if (seen.size > 1) t.comment(`${reasons}: ${answer}`)

  const good = mint({ key: issuer.key(), now: now() })
  const dot = good.lastIndexOf('.') + 1
  const flip = (at: number) =>
    `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`
  const early: number[] = []
  const late: number[] = []
  const time = async (token: string, times: number[]) => {
    const started = performance.now()
    await client.ask(requestBytes(token))
    times.push(performance.now() - started)
  }
  for (let i = 0; i < TIMED; i++) {
    await time(flip(dot + 1), early)
    await time(flip(good.length - 3), late)
  }
  client.end()
  const ratio = median(early) / median(late)
  t.comment(`wrong at the first and the last byte: ${ratio.toFixed(3)}`)
  ok(ratio > 0.8 && ratio < 1.25, `the place of the wrong byte shows: ${ratio}`)
})

/** Runs of characters of a secret that long must not be in the log. */
const RUN = 12

const noToken = only(async ({ t, env, issuer, is, ok }) => {
  const program = await startProgram(t, { env: { ...env, CLAIMGATE_LOG_LEVEL: 'debug' } })
  let log = ''
  program.child.stdout?.on('data', (chunk) => {
    log += chunk
  })
  program.child.stderr?.on('data', (chunk) => {
    log += chunk
  })
  await program.untilReady()
  const attacks = allAttacks({ assertion: () => issuer.assertion(), key: issuer.key(), now: now() })
  const cookie = 'session=c00kieValueThatIsSecret'
  const authorization = 'Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=='
  const query = 'code=Qu3ryValueThatIsSecret'
  await inParallel(attacks, 16, async ({ bytes }) => {
    const [head = '', ...rest] = asking(bytes, query).split('\r\n\r\n')
    const more = `${head}\r\nCookie: ${cookie}\r\nAuthorization: ${authorization}`
    const client = await rawClient(program.port)
    client.send([more, ...rest].join('\r\n\r\n'))
    await Promise.race([client.until(/\r\n\r\n/).catch(() => ''), pause(300)])
    client.socket.destroy()
  })
  program.child.kill('SIGTERM')
  is((await program.exit).code, 0, 'the exit code')
  const runs = new Set(Array.from({ length: log.length }, (_, i) => log.slice(i, i + RUN)))
  const secrets = [
    ...attacks.flatMap(({ tokens }) => tokens.flatMap(parts)),
    cookie,
    authorization,
    query,
  ]
  const told = secrets.filter((secret) => holdsRunOf(runs, secret))
  ok(told.length === 0, `the log holds ${told.length} secrets, such as ${told[0]}`)
  ok(log.split('\n').length > attacks.length, 'the log is shorter than the corpus')
})

/** The same with one more member in the query of its first request line, whatever else is wrong with that. */
function asking(bytes: string, query: string): string {
  const [line = '', ...rest] = bytes.split('\r\n')
  const before = line.includes('?') ? '&' : '?'
  return [line.replace(/ HTTP\/\S*$/, (version) => `${before}${query}${version}`), ...rest].join(
    '\r\n',
  )
}

/** Without a payload that is in plain text, where the issuer stands, which the settings in the log name too. */
const parts = (token: string): string[] => token.split('.').filter((part) => !/["{]/.test(part))

function holdsRunOf(runs: ReadonlySet<string>, secret: string): boolean {
  for (let i = 0; i + RUN <= secret.length; i++) if (runs.has(secret.slice(i, i + RUN))) return true
  return false
}

const ODD = ['\n{"level":60}', '\r\n', '\x1b[31m', '\u2028', '","status":200,"x":"', '\x00', '\x7f']

const injection = only(async ({ start, issuer, ok, t }) => {
  const program = await start({ CLAIMGATE_LOG_LEVEL: 'debug' })
  const before = program.output().length
  for (const odd of ODD) {
    const bytes = Buffer.from(odd).toString('latin1')
    const key = { ...issuer.key(), kid: `k${odd}` }
    const tokens = [
      mint({ key, now: now() }),
      mint({ key: issuer.key(), now: now(), claims: { sub: `s${odd}`, jti: `j${odd}` } }),
      mint({ key: issuer.key(), now: now(), claims: { email: `e${odd}` } }),
    ]
    const good = () => issuer.assertion()
    const requests = [
      requestBytes(good(), { line: `GET /p${bytes} HTTP/1.1` }),
      requestBytes(good(), { line: `GET /p${encodeURI(odd)} HTTP/1.1` }),
      requestBytes(good(), { lines: [`User-Agent: ${bytes}`, `X-Request-Id: ${bytes}`] }),
      requestBytes(good()).replace('Host: ', `Host: ${bytes}`),
      ...tokens.map((token) => requestBytes(token)),
    ]
    for (const request of requests) {
      const client = await rawClient(program.port)
      client.send(request)
      await client.until(/\r\n\r\n/).catch(() => '')
      client.socket.destroy()
    }
  }
  await until(() => program.output().length > before, 'logged')
  await pause(300)
  const lines = program.output().slice(before).split('\n').slice(1, -1)
  t.comment(`${lines.length} lines`)
  ok(lines.length >= ODD.length * 5, `only ${lines.length} lines`)
  for (const line of lines) {
    ok(isObject(line), `no JSON object: ${line}`)
    ok(!/\p{Cc}/u.test(line), `a control character: ${JSON.stringify(line)}`)
  }
})

function isObject(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}

/** Names and labels of all samples of ours. */
async function series(program: Program): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${program.adminPort}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith('claimgate_'))
  return lines.map((line) => line.slice(0, line.lastIndexOf(' ')))
}

/** A thirtieth of the case's: a label that holds one of them holds all. */
const DISTINCT = 300

const cardinality = only(async ({ start, issuer, ok, is }) => {
  const program = await start()
  const client = await keepAliveClient(program)
  const send = async (i: number) => {
    const stranger = { ...issuer.key(), kid: `kid-${i}` }
    const line = `GET /path-${i}?q=${i} HTTP/1.1`
    await client.ask(
      requestBytes(issuer.assertion({ sub: `sub-${i}`, email: `e-${i}@a` }), { line }),
    )
    await client.ask(requestBytes(mint({ key: stranger, now: now() }), { line }))
  }
  await send(0)
  const before = await series(program)
  for (let i = 1; i <= DISTINCT; i++) await send(i)
  client.end()
  const after = await series(program)
  is(after.length, before.length, 'the number of series')
  const telling = after.filter((name) => /(?:kid|sub|path|e)-\d/.test(name))
  ok(telling.length === 0, `a label tells of a user: ${telling[0]}`)
})

const configSecrets = only(async ({ t, env, is, ok }) => {
  const secret = 'hunter2hunter2'
  const uri = `${env['CLAIMGATE_JWKS_URI']}?key=${secret}`
  const program = await startProgram(t, {
    env: { ...env, CLAIMGATE_JWKS_URI: uri, SECRET: secret, CLAIMGATE_LOG_LEVEL: 'debug' },
  })
  await program.untilReady()
  ok(program.output().includes('"msg":"settings"'), 'the settings were not logged')
  is(program.output().includes(secret), false, 'whether the log holds the secret')
})

const portBind = only(async ({ start, issuer, app, ok, is }) => {
  const program = await start()
  const before = app.arrived()
  for (const path of [
    '/metrics',
    '/healthz',
    '/readyz',
    '/startupz',
    '/ping',
    '//metrics',
    '/./metrics',
  ]) {
    const answer = await exchangeBytes(
      program.port,
      requestBytes(undefined, { line: `GET ${path} HTTP/1.1`, lines: ['Connection: close'] }),
    )
    ok(answer.startsWith('HTTP/1.1 401 '), `${path} on the data port: ${answer.slice(0, 30)}`)
  }
  is(app.arrived(), before, 'requests that reached the app')
  const admin = (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${program.adminPort}${path}`, { method })
  const series = await (await admin('/metrics')).text()
  for (const path of ['/debug/pprof', '/json/version', '/json/list', '/config', '/quit', '/'])
    is((await admin(path)).status, 404, `${path} on the admin port`)
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    for (const path of ['/healthz', '/readyz', '/metrics'])
      ok([404, 405].includes((await admin(path, method)).status), `${method} ${path} is taken`)
  ok(series.includes('claimgate_requests_total'), 'no metrics')
  is((await admin('/readyz')).status, 200, 'ready')
  ok(issuer.keySet().keys.length === 1, 'the key set changed')
})

const healthBody = only(async ({ start, app, ok, is }) => {
  const program = await start()
  for (const path of ['/healthz', '/readyz']) {
    const response = await fetch(`http://127.0.0.1:${program.adminPort}${path}`)
    const text = `${[...response.headers].join('\n')}\n${await response.text()}`
    is(response.status, 200, path)
    ok(!/\b\d+\.\d+\.\d+/.test(text), `${path} tells a version or address: ${text}`)
    ok(!text.includes(String(app.port)), `${path} tells the upstream: ${text}`)
    ok(!/fastify|node|claimgate\/|server/i.test(text), `${path} tells the software: ${text}`)
  }
})

/** What answers, log, metrics and the admin port tell. */
export const telling: Readonly<Record<string, Interpreter>> = {
  'timing/reason-oracle': reasonOracle,
  'log/no-token': noToken,
  'log/injection': injection,
  'log/metrics-cardinality': cardinality,
  'log/config-secrets': configSecrets,
  'admin/port-bind': portBind,
  'admin/health-body': healthBody,
}
