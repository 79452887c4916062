import t from 'tap'
import { createAuditLine } from '../../src/audit/fields.ts'
import { AUDIT_FIELDS, type AuditField } from '../../src/config/config.ts'
import { createExchange, type Exchange } from '../../src/exchange.ts'

const NOW = Date.parse('2026-06-01T12:00:01.500Z')
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

function exchangeOf(claims: Record<string, unknown>): Exchange {
  const rawHeaders = [
    ...['Host', 'app.example.com', 'Cookie', 'secret', 'Authorization', 'Bearer secret'],
    ...['X-Pomerium-Jwt-Assertion', 'secret', 'traceparent', `00-${TRACE}-00f067aa0ba902b7-01`],
  ]
  const exchange = createExchange({ method: 'GET', target: '/a?secret', rawHeaders }, 0)
  exchange.verified = { claims, alg: 'ES256', kid: 'k1', anonymous: false }
  exchange.decision = 'forward'
  exchange.status = 200
  return exchange
}

const lineOf = (fields: readonly AuditField[], exchange: Exchange) =>
  createAuditLine(fields, () => NOW)(exchange, 1_500)

const CLAIMS = {
  sub: 'u1',
  email: 'ann@example.com',
  jti: 'j1',
  groups: ['a', 'b'],
  name: 'secret',
}

t.test('a line says who did what and when it came, and nothing else of the request', async (t) => {
  const exchange = exchangeOf(CLAIMS)
  const line = lineOf(AUDIT_FIELDS, exchange)
  t.equal(line.indexOf('\n'), line.length - 1)
  t.strictSame(JSON.parse(line), {
    audit: 'request',
    time: '2026-06-01T12:00:00.000Z',
    request_id: exchange.id,
    decision: 'forward',
    status: 200,
    method: 'GET',
    path: '/a',
    sub: 'u1',
    email: 'ann@example.com',
    groups: ['a', 'b'],
    jti: 'j1',
    kid: 'k1',
    trace_id: TRACE,
  })
  t.notMatch(line, /secret|app\.example/)
})

t.test(
  'a line of a refusal has its code, one under report_only what it would have been',
  async (t) => {
    const exchange = exchangeOf({})
    exchange.verified = undefined
    exchange.code = 'ERR_ASSERTION_MISSING'
    exchange.wouldRefuse = { code: 'ERR_ASSERTION_EMPTY', reason: undefined }
    t.match(JSON.parse(lineOf(AUDIT_FIELDS, exchange)), {
      code: 'ERR_ASSERTION_MISSING',
      would_refuse: 'ERR_ASSERTION_EMPTY',
      sub: undefined,
      kid: undefined,
    })
  },
)

t.test('only the chosen fields are there, in the order of the table', async (t) => {
  const line = JSON.parse(lineOf(['sub', 'decision', 'sub'], exchangeOf(CLAIMS)))
  t.strictSame(Object.keys(line), ['audit', 'time', 'decision', 'sub'])
})

t.test('every field of the table is filled by some request', async (t) => {
  const exchange = exchangeOf(CLAIMS)
  exchange.code = 'ERR_POLICY_DENIED'
  exchange.wouldRefuse = { code: 'ERR_POLICY_DENIED', reason: undefined }
  t.strictSame(Object.keys(JSON.parse(lineOf(AUDIT_FIELDS, exchange))), [
    'audit',
    'time',
    ...AUDIT_FIELDS,
  ])
})

t.test('claims that are long, many or no text do not fill a line or break it', async (t) => {
  const groups = (value: unknown) =>
    JSON.parse(lineOf(['groups'], exchangeOf({ groups: value }))).groups
  t.strictSame(groups('one'), ['one'])
  t.strictSame(groups([1, { a: 1 }, 'g', null]), ['g'])
  t.equal(groups([]), undefined)
  t.equal(groups({ a: 1 }), undefined)
  t.equal(groups(Array.from({ length: 5_000 }, (_, i) => `g${i}`)).length, 100)
  t.strictSame(groups(['x'.repeat(9_999)]), ['x'.repeat(256)])
  const line = lineOf(['sub'], exchangeOf({ sub: 'a\n{"audit":"request"}\u2028\ud800' }))
  t.equal(line.indexOf('\n'), line.length - 1)
  t.equal(JSON.parse(line).sub, 'a\\u000a{"audit":"request"}\\u2028\\ud800')
})
