import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { explain } from '../../src/commands/explain.ts'
import type { Config } from '../../src/config/config.ts'
import { CODES, type Code } from '../../src/errors.ts'
import { adviseOnLog } from '../../src/explain/advice.ts'
import { createLog } from '../../src/log.ts'
import { createClaimgate } from '../../src/server.ts'
import { requestBytes, startClaimgate, testConfig } from '../helpers/claimgate.ts'
import { createKey } from '../helpers/keys.ts'
import { section } from '../helpers/markdown.ts'
import { HOST, mint, NOW, NOW_MS } from '../helpers/mint.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { files } from '../helpers/settings.ts'

const GUIDE = readFileSync('docs/errors.md', 'utf8')
const key = createKey('ES256', 'k1')
const CLOSE = ['Connection: close']
const HANDSHAKE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']

async function start(t: Test, changes: Partial<Config> = {}, upstream = rawUpstream()) {
  const app = await upstream
  t.teardown(() => app.close())
  return { app, gate: await startClaimgate(t, app.port, changes, { key }) }
}

const header = (value: string): string => `X-Pomerium-Jwt-Assertion: ${value}`
const OTHER_KEY = createKey('ES256', 'k1')
const RSA = createKey('RS256', 'k1')

/** What a token, or the lines of it, leads to; and the setting of each side that `explain` names. */
const TOKENS: readonly (readonly [Code, readonly string[], Record<string, string>])[] = [
  ['ERR_ASSERTION_MISSING', ['X-Other: 1'], { Pomerium: 'pass_identity_headers' }],
  ['ERR_ASSERTION_EMPTY', [header('')], { Pomerium: 'signing_key' }],
  [
    'ERR_ASSERTION_DUPLICATE',
    [header(mint({ key })), header(mint({ key }))],
    { Pomerium: 'set_request_headers' },
  ],
  [
    'ERR_ASSERTION_TOO_LARGE',
    [header(`a.b.${'c'.repeat(120 * 1024)}`)],
    { Pomerium: 'jwt_groups_filter' },
  ],
  ['ERR_ASSERTION_MALFORMED', [header('no.jws')], { claimgate: 'assertion_header' }],
  ['ERR_ASSERTION_ALGORITHM', [header(mint({ key: RSA }))], { claimgate: 'algorithms' }],
  [
    'ERR_ASSERTION_CRITICAL',
    [header(mint({ key, header: { crit: ['b64'] } }))],
    { claimgate: 'assertion_header' },
  ],
  [
    'ERR_ASSERTION_KEY_UNKNOWN',
    [header(mint({ key, header: { kid: 'k2' } }))],
    { claimgate: 'jwks_file', Pomerium: 'signing_key' },
  ],
  [
    'ERR_ASSERTION_SIGNATURE',
    [header(mint({ key: OTHER_KEY }))],
    { claimgate: 'jwks_file', Pomerium: 'signing_key' },
  ],
  [
    'ERR_ASSERTION_ISSUER',
    [header(mint({ key, claims: { iss: 'other.example.com' } }))],
    { claimgate: 'route', Pomerium: 'jwt_issuer_format' },
  ],
  [
    'ERR_ASSERTION_AUDIENCE',
    [header(mint({ key, claims: { aud: 'other.example.com' } }))],
    { claimgate: 'route', Pomerium: "the route's to" },
  ],
  [
    'ERR_ASSERTION_EXPIRED',
    [header(mint({ key, now: NOW - 3_600 }))],
    { claimgate: 'clock_skew', Pomerium: 'the clock of its machine' },
  ],
  [
    'ERR_ASSERTION_NOT_YET_VALID',
    [header(mint({ key, now: NOW + 3_600 }))],
    { claimgate: 'clock_skew', Pomerium: 'the clock of its machine' },
  ],
  [
    'ERR_ASSERTION_CLAIM',
    [header(mint({ key, claims: { iat: undefined } }))],
    { Pomerium: 'its version' },
  ],
  [
    'ERR_ASSERTION_ANONYMOUS',
    [header(mint({ key, claims: { sub: '' } }))],
    { claimgate: 'allow_anonymous', Pomerium: 'allow_public_unauthenticated_access' },
  ],
]

/** What takes more than a token, the setting that `report` names for it, and its answer. */
const SITUATIONS: readonly (readonly [Code, string, (t: Test) => Promise<string>])[] = [
  [
    'ERR_REQUEST_MALFORMED',
    'max_header_size',
    async (t) => exchangeBytes((await start(t)).gate.port, 'GET / HTTP/1.1\r\n\r\n'),
  ],
  [
    'ERR_ASSERTION_REPLAYED',
    'replay_guard',
    async (t) => {
      const { gate } = await start(t, { replayGuard: 'on' })
      const bytes = requestBytes(gate.assertion(), { lines: CLOSE })
      t.equal(statusOf(await exchangeBytes(gate.port, bytes)), 200)
      return exchangeBytes(gate.port, bytes)
    },
  ],
  [
    'ERR_POLICY_DENIED',
    'allow',
    async (t) => {
      const { gate } = await start(t, { allow: [] })
      return exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: CLOSE }))
    },
  ],
  ['ERR_KEY_SET_UNAVAILABLE', 'jwks_uri', withoutKeys],
  [
    'ERR_UPSTREAM_UNAVAILABLE',
    'upstream',
    async (t) => {
      const { app, gate } = await start(
        t,
        {},
        rawUpstream((socket) => void socket.destroy()),
      )
      const answer = await exchangeBytes(
        gate.port,
        requestBytes(gate.assertion(), { lines: CLOSE }),
      )
      t.ok(app.connections() > 0)
      return answer
    },
  ],
  [
    'ERR_UPSTREAM_TIMEOUT',
    'upstream_response_timeout',
    async (t) => {
      const silent = rawUpstream(() => undefined)
      const { gate } = await start(t, { upstreamResponseTimeout: 100 }, silent)
      return exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines: CLOSE }))
    },
  ],
  [
    'ERR_OVERLOADED',
    'max_connections',
    async (t) => {
      const { gate } = await start(t, { maxConnections: 1 })
      const first = await rawClient(gate.port)
      first.send(requestBytes(gate.assertion()))
      await first.until(/ok$/)
      const answer = await exchangeBytes(gate.port, requestBytes(gate.assertion()))
      first.socket.destroy()
      return answer
    },
  ],
  ['ERR_DRAINING', 'drain_delay', handshakeAtTheEnd],
]

async function withoutKeys(t: Test): Promise<string> {
  const config = testConfig(9, join(t.testdir(), 'absent.json'))
  const log = createLog({ ...config, logLevel: 'silent' })
  const gate = await createClaimgate(config, { log, now: () => NOW_MS })
  t.teardown(() => gate.drain())
  const { data } = await gate.start()
  return exchangeBytes(data.port, requestBytes(mint({ key }), { lines: CLOSE }))
}

async function handshakeAtTheEnd(t: Test): Promise<string> {
  const { gate } = await start(t)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion()))
  await client.until(/ok$/)
  const handshake = requestBytes(gate.assertion(), { lines: HANDSHAKE })
  // A head that has begun is waited for.
  client.send(handshake.slice(0, 10))
  await wait(50)
  const drained = gate.gate.drain()
  const deadline = Date.now() + 5_000
  for (;;) {
    const late = await rawClient(gate.port).catch(() => undefined)
    if (late === undefined) break
    late.socket.destroy()
    if (Date.now() > deadline) throw new Error('connections are still accepted')
  }
  client.send(handshake.slice(10))
  const answer = (await client.untilClose()).split('ok').at(-1) ?? ''
  await drained
  return answer
}

/** The same code in the answer and a section for it in the guide. */
function holds(t: Test, code: Code, answer: string): void {
  t.equal(codeOf(answer), code)
  t.equal(statusOf(answer), CODES[code].status)
  const text = section(GUIDE, `## ${code}`)
  t.match(text, `**${CODES[code].status}** ${CODES[code].title}`)
}

async function explained(t: Test, lines: readonly string[]) {
  const path = join(t.testdir(), 'key.json')
  writeFileSync(path, JSON.stringify({ keys: [publicHalf()] }))
  const written: string[] = []
  await explain({
    flags: ['--route', `https://${HOST}`, '--jwks-file', path, '--json', '-'],
    env: {},
    readFile: files({}),
    write: (text) => void written.push(text),
    readInput: async () => lines.join('\n'),
    now: () => NOW_MS,
  })
  return JSON.parse(written.join('')) as {
    code: Code
    checks: { code?: Code; changes: { side: string; setting: string }[] }[]
  }
}

const publicHalf = () => ({ ...key.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' })

for (const [code, lines, settings] of TOKENS)
  t.test(`${code}: answer, explain, guide`, async (t) => {
    const { app, gate } = await start(t)
    const bytes = requestBytes(undefined, { lines: [...lines, ...CLOSE] })
    holds(t, code, await exchangeBytes(gate.port, bytes))
    t.equal(app.connections(), 0)
    const { code: verdict, checks } = await explained(t, lines)
    t.equal(verdict, code)
    const row = checks.find((check) => check.code === code)
    const named = Object.fromEntries(row?.changes.map(({ side, setting }) => [side, setting]) ?? [])
    t.match(named, settings)
  })

for (const [code, setting, situation] of SITUATIONS)
  t.test(`${code}: answer, report, guide`, async (t) => {
    holds(t, code, await situation(t))
    t.match(
      adviseOnLog(code).find(({ side }) => side === 'claimgate'),
      { setting },
    )
  })

t.test('there is no other code', async (t) => {
  const tested = [...TOKENS.map(([code]) => code), ...SITUATIONS.map(([code]) => code)]
  t.strictSame(tested.sort(), Object.keys(CODES).sort())
})
