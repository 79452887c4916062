import t from 'tap'
import { createExchange, logExchange } from '../src/exchange.ts'

function lineOf(claims: Record<string, unknown>): Record<string, unknown> {
  let line: Record<string, unknown> = {}
  const exchange = createExchange({ method: 'GET', target: `/${'p'.repeat(5000)}?q` }, 0)
  exchange.verified = { claims, alg: 'ES256', kid: 'k1', anonymous: false }
  const infoJson = (fields: string) => {
    line = JSON.parse(`{${fields}}`)
  }
  logExchange({ infoJson }, exchange, 1.23456)
  return line
}

t.test(
  'an exchange is a refusal until it is decided, and its path is bounded and without query',
  async (t) => {
    const exchange = createExchange({ method: 'GET', target: `/${'p'.repeat(5000)}?q` }, 7)
    t.match(exchange, { decision: 'reject', status: undefined, started: 7, path: /^\/p{2047}$/ })
    t.not(exchange.id, createExchange({ method: 'GET', target: '/' }, 7).id)
  },
)

t.test('the log line names the user, and rounds its durations', async (t) => {
  t.match(lineOf({ sub: 'u1', email: 'ann@example.com', jti: 'j1' }), {
    sub: 'u1',
    email: 'ann@example.com',
    jti: 'j1',
    kid: 'k1',
    duration_ms: 1.23,
  })
})

t.test('the log line holds what is known, and nothing else', async (t) => {
  const exchange = createExchange({ method: 'GET', target: '/' }, 0)
  const fieldsOf = (...user: ['without-email'] | []): Record<string, unknown> => {
    let line = {}
    const infoJson = (fields: string) => {
      line = JSON.parse(`{${fields}}`)
    }
    logExchange({ infoJson }, exchange, 1, ...user)
    return line
  }
  const { id } = exchange
  const least = { request_id: id, method: 'GET', path: '/', decision: 'reject' }
  t.strictSame(fieldsOf(), { ...least, duration_ms: 1, bytes: 0 })
  const claims = { sub: 'u1', email: 'ann@example.com', jti: 'j1' }
  exchange.verified = { claims, alg: 'ES256', kid: undefined, anonymous: false }
  exchange.wouldRefuse = { code: 'ERR_POLICY_DENIED', reason: 'why' }
  exchange.status = 502
  exchange.code = 'ERR_UPSTREAM_UNAVAILABLE'
  exchange.reason = 'UPSTREAM_CLOSED'
  exchange.upstreamDuration = 2.3456
  exchange.bytes = 7
  exchange.aborted = true
  const all = {
    ...least,
    status: 502,
    code: 'ERR_UPSTREAM_UNAVAILABLE',
    reason: 'UPSTREAM_CLOSED',
    would_refuse: 'ERR_POLICY_DENIED',
    would_refuse_reason: 'why',
    sub: 'u1',
    jti: 'j1',
    duration_ms: 1,
    upstream_ms: 2.35,
    bytes: 7,
    aborted: true,
  }
  t.strictSame(fieldsOf('without-email'), all)
  t.strictSame(fieldsOf(), { ...all, email: 'ann@example.com' })
})

t.test('a claim that is no short text does not fill the log', async (t) => {
  const line = lineOf({ sub: 'x'.repeat(9999), email: { a: 1 }, jti: ['j'] })
  t.equal(line['sub'], 'x'.repeat(256))
  t.equal(line['email'], undefined)
  t.equal(line['jti'], undefined)
})

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

const traceOf = (...rawHeaders: string[]) =>
  createExchange({ method: 'GET', target: '/', rawHeaders }, 0).traceId

t.test('what is no plain text in a claim is written out in the log', async (t) => {
  const line = lineOf({
    sub: 'a\r\n\u0085b\u007f',
    email: '\u202eevil\u2028',
    jti: '\u001b[31m\ud800',
  })
  t.equal(line['sub'], 'a\\u000d\\u000a\\u0085b\\u007f')
  t.equal(line['email'], '\\u202eevil\\u2028')
  t.equal(line['jti'], '\\u001b[31m\\ud800')
  t.equal(lineOf({ sub: 'Łukasz 日本' })['sub'], 'Łukasz 日本')
})

t.test('what a client or a claim says cannot leave its place in the line', async (t) => {
  const evil = '/"\\},{\u0000\n\u2028\xe9'
  // In forward auth a method, too, is what a header says.
  const exchange = createExchange({ method: evil, target: evil }, 0)
  exchange.reason = evil
  exchange.verified = { claims: { sub: '"a\\' }, alg: 'ES256', kid: '","x":"', anonymous: false }
  let text = ''
  const infoJson = (fields: string) => {
    text = fields
  }
  logExchange({ infoJson }, exchange, 1)
  t.notMatch(text, /[\n\0]/)
  t.match(JSON.parse(`{${text}}`), {
    method: evil,
    path: evil,
    reason: evil,
    sub: '"a\\',
    kid: '","x":"',
  })
  t.equal(JSON.parse(`{${text}}`).x, undefined)
  for (let code = 0; code < 256; code++) {
    const reason = `a${String.fromCharCode(code)}b`
    exchange.reason = reason
    logExchange({ infoJson }, exchange, 1)
    t.equal(JSON.parse(`{${text}}`).reason, reason, JSON.stringify(reason))
  }
})

t.test('the trace id is that of a good traceparent', async (t) => {
  t.equal(traceOf('Host', 'a', 'TraceParent', `00-${TRACE}-${SPAN}-01`), TRACE)
  t.equal(traceOf('traceparent', `01-${TRACE}-${SPAN}-00`), TRACE)
  t.equal(traceOf('traceparent', `01-${TRACE}-${SPAN}-00-more`), TRACE, 'a version to come')
  t.equal(traceOf('tracestate', 'a=1'), undefined)
  t.equal(createExchange({ method: '-', target: '' }, 0).traceId, undefined)
})

t.test('a traceparent that is not exactly one of the standard gives none', async (t) => {
  for (const value of [
    '',
    TRACE,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}0-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01-`,
    `01-${TRACE}-${SPAN}-00more`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(512)}`,
  ])
    t.equal(traceOf('traceparent', value), undefined, JSON.stringify(value))
  const good = `00-${TRACE}-${SPAN}-01`
  t.equal(traceOf('traceparent', good, 'Traceparent', good), undefined, 'two are none')
})

t.test('the log line holds the trace id', async (t) => {
  let line: Record<string, unknown> = {}
  const infoJson = (fields: string) => {
    line = JSON.parse(`{${fields}}`)
  }
  const rawHeaders = ['traceparent', `00-${TRACE}-${SPAN}-01`]
  const exchange = createExchange({ method: 'GET', target: '/', rawHeaders }, 0)
  logExchange({ infoJson }, exchange, 1)
  t.equal(line['trace_id'], TRACE)
})
