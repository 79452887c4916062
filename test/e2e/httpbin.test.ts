import t from 'tap'
import { startHttpbin, withoutHttpbin } from './apps.ts'
import { send } from './requests.ts'
import { startStage } from './stage.ts'

const skip = withoutHttpbin()

const ANA = ['Cookie', 'demo_user=ana'] as const
const FORGED = [
  ...['X-Pomerium-Claim-Email', 'forged@example.com'],
  ...['X_Pomerium_Claim_Email', 'forged@example.com'],
  ...['x-pomerium-claim-groups', 'forged'],
  ...['X-Pomerium_Claim-Role', 'forged'],
  ...['X-Pomerium-Jwt-Assertion-For', 'forged'],
  ...['X-WEBAUTH-USER', 'forged@example.com'],
  ...['X_WEBAUTH_USER', 'forged@example.com'],
  ...['X-WEBAUTH-ROLE', 'forged'],
  ...['X-WEBAUTH-GRAFANA-ADMIN', 'forged'],
  ...['Authorization', 'Bearer Pomerium-forged'],
]

/** What httpbin says it received: names as WSGI gives them, so `X_A` and `X-A` are both `X-A`. */
const headersIn = (body: Buffer): Record<string, string> =>
  (JSON.parse(body.toString('utf8')) as { headers: Record<string, string> }).headers

t.test('httpbin gets the verified user', { skip }, async (t) => {
  const stage = await startStage(t, await startHttpbin(t))
  const { status, body } = await send(stage.front, { target: '/headers', headers: ANA })
  t.equal(status, 200)
  t.match(headersIn(body), {
    'X-Pomerium-Claim-Email': 'ana@example.com',
    'X-Pomerium-Claim-Groups': 'g-1001,g-1002,admins,staff',
    'X-Pomerium-Claim-Sub': '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    'X-Pomerium-Claim-User': '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    Host: new URL(stage.front).host,
  })
  t.notOk('X-Pomerium-Jwt-Assertion' in headersIn(body), 'no assertion arrives')
  t.notMatch(body.toString('utf8'), 'eyJ')
})

t.test('nothing forged reaches httpbin', { skip }, async (t) => {
  const stage = await startStage(t, await startHttpbin(t), { CLAIMGATE_PRESET: 'grafana' })
  const headers = [...ANA, ...FORGED]
  const { status, body } = await send(stage.front, { target: '/anything', headers })
  t.equal(status, 200)
  t.notMatch(body.toString('utf8'), 'forged')
  t.match(headersIn(body), {
    'X-Webauth-User': 'ana@example.com',
    'X-Webauth-Email': 'ana@example.com',
    'X-Webauth-Groups': 'g-1001,g-1002,admins,staff',
  })
})

t.test('no forged identity header arrives, whichever preset is chosen', { skip }, async (t) => {
  const httpbin = await startHttpbin(t)
  for (const preset of ['pomerium', 'pomerium-legacy', 'none']) {
    const stage = await startStage(t, httpbin, { CLAIMGATE_PRESET: preset })
    const headers = [...ANA, ...FORGED]
    const { status, body } = await send(stage.front, { target: '/anything', headers })
    t.equal(status, 200)
    const arrived = Object.entries(headersIn(body)).filter(([, value]) => value.includes('forged'))
    const names = arrived.map(([name]) => name)
    t.strictSame(names, [], preset)
  }
})

t.test('an assertion arrives when asked for, and only the verified one', { skip }, async (t) => {
  const env = { CLAIMGATE_FORWARD_ASSERTION: 'true' }
  const stage = await startStage(t, await startHttpbin(t), env)
  const assertion = await stage.mint('ana')
  const headers = ['X-Pomerium-Jwt-Assertion', assertion, ...FORGED]
  const { body } = await send(stage.gate, { target: '/headers', headers })
  t.equal(headersIn(body)['X-Pomerium-Jwt-Assertion'], assertion)
  t.notOk('X-Pomerium-Jwt-Assertion-For' in headersIn(body))
})

t.test('who goes around Pomerium is refused, and httpbin is not asked', { skip }, async (t) => {
  const stage = await startStage(t, await startHttpbin(t))
  const cases = [
    { headers: [], code: 'ERR_ASSERTION_MISSING' },
    { headers: FORGED, code: 'ERR_ASSERTION_MISSING' },
    { headers: ['X-Pomerium-Jwt-Assertion', ''], code: 'ERR_ASSERTION_EMPTY' },
    { headers: ['X-Pomerium-Jwt-Assertion', 'a.b.c'], code: 'ERR_ASSERTION_MALFORMED' },
    {
      headers: ['X_Pomerium_Jwt_Assertion', await stage.mint('ana')],
      code: 'ERR_ASSERTION_MISSING',
    },
  ]
  for (const { headers, code } of cases) {
    const { status, body } = await send(stage.gate, { target: '/headers', headers })
    t.equal(status, 401)
    t.equal((JSON.parse(body.toString('utf8')) as { code: string }).code, code)
  }
})

t.test('a large upload arrives whole', { skip }, async (t) => {
  const stage = await startStage(t, await startHttpbin(t))
  const body = Buffer.alloc(3 * 1024 * 1024, 'abcdefgh')
  const headers = [...ANA, 'Expect', '100-continue', 'Content-Type', 'weird']
  const answer = await send(stage.front, { method: 'POST', target: '/post', headers, body })
  t.equal(answer.status, 200)
  const { data } = JSON.parse(answer.body.toString('utf8')) as { data: string }
  t.equal(data, body.toString('latin1'))
})

t.test('the program ends with 0 on SIGTERM and logs no token', { skip }, async (t) => {
  const stage = await startStage(t, await startHttpbin(t), { CLAIMGATE_LOG_LEVEL: 'trace' })
  await send(stage.front, { target: '/headers?secret=query', headers: ANA })
  t.equal(await stage.program.end('SIGTERM'), 0)
  t.match(stage.program.output(), '"path":"/headers"')
  t.notMatch(stage.program.output(), /eyJ|secret=query|demo_user/)
})
