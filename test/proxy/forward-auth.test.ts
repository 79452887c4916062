import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import type { Decision } from '../../src/decision.ts'
import {
  decideOriginal,
  passAnswer,
  readOriginal,
  refuseAliases,
} from '../../src/proxy/forward-auth.ts'
import type { RequestHead } from '../../src/proxy/gate.ts'
import { fieldsOf } from '../helpers/black-box.ts'
import { header, requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from '../helpers/raw-client.ts'

const FORWARDED = ['X-Forwarded-Method', 'PUT', 'X-Forwarded-Uri', '/a/../b?q=%2F']
const ORIGINAL = ['X-Original-Method', 'PUT', 'X-Original-URI', '/a/../b?q=%2F']
const LINE = { method: 'PUT', target: '/a/../b?q=%2F' }

t.test('the original request line is taken from either family, as it is', async (t) => {
  t.strictSame(readOriginal(['Host', 'a', ...FORWARDED]), LINE)
  t.strictSame(readOriginal([...ORIGINAL, 'Host', 'a']), LINE)
  t.strictSame(readOriginal(ORIGINAL.map((text) => text.replace('X-Orig', 'x-oRIG'))), LINE)
  t.equal(readOriginal(['Host', 'a', 'X-Forwarded-For', '::1', 'X-Original-Host', 'b']), undefined)
})

const REFUSED: readonly [string, readonly string[], string][] = [
  ['both families', [...FORWARDED, ...ORIGINAL], 'two reports of the original request'],
  [
    'both families, even half of one',
    [...FORWARDED, 'X-Original-URI', '/'],
    'two reports of the original request',
  ],
  ['a method alone', FORWARDED.slice(0, 2), 'half a report of the original request'],
  ['a target alone', ORIGINAL.slice(2), 'half a report of the original request'],
  [
    'halves of two families',
    [...FORWARDED.slice(0, 2), ...ORIGINAL.slice(2)],
    'half a report of the original request',
  ],
  [
    'a repeated method',
    [...FORWARDED, 'x-forwarded-method', 'PUT'],
    'x-forwarded-method is repeated',
  ],
  ['a repeated target', [...ORIGINAL, 'X-Original-Uri', '/b'], 'x-original-uri is repeated'],
  ['another spelling', [...ORIGINAL, 'X_Original_URI', '/b'], 'another spelling of x-original-uri'],
  [
    'another spelling of the other family',
    [...ORIGINAL, 'X.Forwarded.Uri', '/b'],
    'another spelling of x-forwarded-uri',
  ],
  ...['', 'a', 'http://a/', '/a b', '/a\tb', '/a\u007f', ' /a'].map(
    (target): [string, string[], string] => [
      `the target ${JSON.stringify(target)}`,
      ['X-Original-Method', 'GET', 'X-Original-URI', target],
      'original target is not in origin form',
    ],
  ),
]
for (const [name, rawHeaders, reason] of REFUSED)
  t.test(`${name} is refused`, async (t) => {
    t.throws(() => readOriginal(rawHeaders), { code: 'ERR_REQUEST_MALFORMED', status: 400, reason })
  })

const HEAD: RequestHead = {
  method: 'GET',
  target: '/ask',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'app.example.com'],
}
const PASS: Decision = { lines: [], verified: undefined, dropped: 0 }

t.test(
  'the decision is about the original request, with the fields of the asking one',
  async (t) => {
    const seen: RequestHead[] = []
    const decide = decideOriginal(async (head) => {
      seen.push(head)
      return PASS
    })
    const asking = { ...HEAD, rawHeaders: [...HEAD.rawHeaders, ...ORIGINAL] }
    t.equal(await decide(asking), PASS)
    t.equal(await decide(HEAD), PASS)
    t.strictSame(seen, [{ ...asking, ...LINE }, HEAD])
  },
)

t.test('the asking request must be well-formed, too', async (t) => {
  const decide = decideOriginal(async () => PASS)
  const asking = { ...HEAD, method: 'TRACE', rawHeaders: [...HEAD.rawHeaders, ...ORIGINAL] }
  await t.rejects(decide(asking), { code: 'ERR_REQUEST_MALFORMED', status: 405 })
})

const ALIASES = [
  ...['X_WEBAUTH_USER', 'x-webauth_user', 'X.Webauth.User', 'X~WEBAUTH-USER', 'REMOTE-USER'],
  ...['X_Forwarded_Host', 'X-Forwarded_Proto', 'X_Webauth_Role'],
  ...['X_Pomerium_Claim_Email', 'X.Pomerium-Claim-Email', 'X_Pomerium-'],
]
const LET_THROUGH = [
  ...['X-WEBAUTH-USER', 'x-webauth-user', 'Remote_User', 'X-Webauth-Role', 'X-Pomerium'],
  ...['X-Pomerium-Claim-Email', 'X-Pomerium-Claim-given_name', 'X-Pomerium-Jwt-Assertion'],
  ...['X-Forwarded-Host', 'X_WEBAUTH_USERS', 'X_Pomeriums', 'x_pomerium', 'Accept', '__proto__'],
]

t.test('another spelling of an identity or reserved header is refused', async (t) => {
  const config = {
    identityHeaders: [header('X-WEBAUTH-USER', 'email'), header('REMOTE_USER', 'email')],
    reservedHeaders: ['x-webauth-role'],
  }
  const decide = refuseAliases(async () => PASS, config)
  const ask = (name: string) => decide({ ...HEAD, rawHeaders: [...HEAD.rawHeaders, name, 'x'] })
  for (const name of ALIASES) {
    const reason = `another spelling of ${name.toLowerCase().replace(/[^a-z]/g, '-')}`
    await t.rejects(ask(name), { code: 'ERR_REQUEST_MALFORMED', status: 400, reason }, name)
  }
  for (const name of LET_THROUGH) t.equal(await ask(name), PASS, name)
})

t.test('repeated identity headers are one line of the answer', async (t) => {
  const lines = ['X-G', 'a', 'X-U', 'b', 'X-G', 'c d', 'X-G', 'e']
  const { status, headers, body } = passAnswer({ ...PASS, lines })
  t.equal(status, 200)
  t.strictSame(headers, ['Cache-Control', 'no-store', 'X-G', 'a,c d,e', 'X-U', 'b'])
  t.equal(body.length, 0)
})

/** Nothing is forwarded: the port of the upstream is nobody's. */
const start = (t: Test, changes: Partial<Config> = {}) =>
  startClaimgate(t, 9, { upstream: undefined, statusPath: undefined, ...changes })

const CLOSE = ['Connection: close']

const asking = (method: string, target: string, more: readonly string[] = []) => ({
  lines: [`X-Forwarded-Method: ${method}`, `X-Forwarded-Uri: ${target}`, ...more],
})

t.test('a good assertion is answered with the identity headers and nothing else', async (t) => {
  const { port, assertion, logLines } = await start(t)
  const client = await rawClient(port)
  const name = Buffer.from('Ana Kovač').toString('latin1')
  client.send(requestBytes(assertion({ name: 'Ana Kovač' }), asking('POST', '/a?b')))
  const answer = await client.until(/\r\n\r\n$/)
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  const fields = fieldsOf(answer)
  t.strictSame(fields.get('x-pomerium-claim-name'), [name], 'its bytes are UTF-8')
  t.strictSame(
    [...fields.keys()].filter((field) => !field.startsWith('x-pomerium-claim-')),
    ['cache-control', 'content-length', 'date', 'connection', 'keep-alive'],
  )
  t.strictSame(fields.get('cache-control'), ['no-store'])
  t.strictSame(fields.get('content-length'), ['0'])
  client.send(requestBytes(undefined, asking('POST', '/a?b')))
  t.match(await client.until('ERR_ASSERTION_MISSING'), 'HTTP/1.1 401 Unauthorized', 'it stays open')
  client.socket.destroy()
  const lines = logLines().filter(({ msg }) => msg === 'request')
  t.match(lines[0], { method: 'POST', path: '/a', status: 200, decision: 'forward' })
  t.match(lines[1], { method: 'POST', path: '/a', status: 401, decision: 'reject' })
})

t.test('a refusal is the usual one', async (t) => {
  const { port } = await start(t)
  const client = await rawClient(port)
  client.send(requestBytes(undefined))
  const answer = await client.until('"request_id"')
  t.equal(statusOf(answer), 401)
  t.equal(codeOf(answer), 'ERR_ASSERTION_MISSING')
  t.match(answer, '\r\nWWW-Authenticate: Bearer realm="claimgate"\r\n')
  t.match(answer, '\r\nContent-Type: application/problem+json\r\n')
  client.socket.destroy()
})

t.test('another spelling is refused on public paths and under report_only, too', async (t) => {
  const lines = [...CLOSE, 'X_Pomerium_Claim_Email: mallory@evil.example']
  for (const changes of [{ publicPaths: ['/t'] }, { reportOnly: 'unsafe' as const }]) {
    const { port, assertion } = await start(t, changes)
    for (const token of [undefined, assertion()])
      t.equal(
        codeOf(await exchangeBytes(port, requestBytes(token, { lines }))),
        'ERR_REQUEST_MALFORMED',
      )
  }
})

t.test('rules and public paths look at the original request', async (t) => {
  const allow = [{ paths: ['/reports/*'], methods: ['GET'], claims: [] }]
  const { port, assertion } = await start(t, { allow, publicPaths: ['/public'] })
  const ask = async (token: string | undefined, method: string, target: string) => {
    const client = await rawClient(port)
    const line = 'GET /reports/asking HTTP/1.1'
    client.send(requestBytes(token, { line, ...asking(method, target) }))
    const answer = await client.until(/\r\n\r\n/)
    client.socket.destroy()
    return statusOf(answer)
  }
  t.equal(await ask(assertion(), 'GET', '/reports/a?x'), 200)
  t.equal(await ask(assertion(), 'PUT', '/reports/a'), 403)
  t.equal(await ask(assertion(), 'GET', '/other'), 403)
  t.equal(await ask(assertion(), 'GET', '/reports/../other'), 403)
  t.equal(await ask(undefined, 'GET', '/public?x'), 200)
  t.equal(await ask(undefined, 'GET', '/reports/a'), 401)
  t.equal(await ask(assertion(), 'GET', '/reports\\a'), 400)
  t.equal(await ask(assertion(), 'GET', '/reports/#a'), 400)
  t.equal(await ask(assertion(), 'TRACE', '/reports/a'), 405)
  t.equal(await ask(assertion(), 'get', '/reports/a'), 400)
})

t.test("without a report the request's own method and target count", async (t) => {
  const allow = [{ paths: ['/reports/*'], methods: ['PUT'], claims: [] }]
  const { port, assertion } = await start(t, { allow })
  for (const [line, wanted] of [
    ['PUT /reports/a HTTP/1.1', 200],
    ['GET /reports/a HTTP/1.1', 403],
    ['PUT /other HTTP/1.1', 403],
  ] as const)
    t.equal(
      statusOf(await exchangeBytes(port, requestBytes(assertion(), { line, lines: CLOSE }))),
      wanted,
      line,
    )
})

t.test('a body is not waited for', async (t) => {
  const { port, assertion } = await start(t)
  const lines = ['Content-Length: 1000000', 'Expect: 100-continue']
  const answer = await exchangeBytes(port, requestBytes(assertion(), { lines }))
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/, 'and not asked for')
  t.match(answer, /\r\nConnection: close\r\n/)
})

t.test('a handshake is answered like any request, and opens nothing', async (t) => {
  const { port, assertion } = await start(t)
  const lines = [
    ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const answer = await exchangeBytes(port, requestBytes(assertion(), { lines, body: '\x81\x00' }))
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(answer, '\r\nX-Pomerium-Claim-Email: ')
  t.equal(answer.split('HTTP/1.1').length, 2, 'frames are not read as a request')
  t.equal(
    codeOf(await exchangeBytes(port, requestBytes(undefined, { lines }))),
    'ERR_ASSERTION_MISSING',
  )
})

t.test('CONNECT is refused', async (t) => {
  const { port, assertion } = await start(t)
  const line = 'CONNECT app:80 HTTP/1.1'
  t.equal(statusOf(await exchangeBytes(port, requestBytes(assertion(), { line }))), 405)
})

t.test('there is no status page', async (t) => {
  const bytes = requestBytes(undefined, { line: 'GET /.claimgate HTTP/1.1', lines: CLOSE })
  const { port } = await start(t)
  t.equal(codeOf(await exchangeBytes(port, bytes)), 'ERR_ASSERTION_MISSING')
  const open = await start(t, { publicPaths: ['/.claimgate'] })
  const answer = await exchangeBytes(open.port, bytes)
  t.match(answer, /^HTTP\/1\.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\n/)
})

t.test('report_only lets pass without identity', async (t) => {
  const { port } = await start(t, { reportOnly: 'unsafe' })
  const answer = await exchangeBytes(port, requestBytes(undefined, { lines: CLOSE }))
  t.equal(statusOf(answer), 200)
  t.notMatch(answer, /x-pomerium/i)
})

t.test('a list is one line, whatever its separator', async (t) => {
  const groups = { ...header('X-Groups', 'groups'), separator: 'repeat' as const }
  const { port, assertion } = await start(t, { identityHeaders: [groups] })
  const token = assertion({ groups: ['a', 'b c'] })
  const answer = await exchangeBytes(port, requestBytes(token, { lines: CLOSE }))
  t.strictSame(fieldsOf(answer).get('x-groups'), ['a,b c'])
})
