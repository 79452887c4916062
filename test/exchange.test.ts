import t from 'tap'
import { createExchange, logExchange } from '../src/exchange.ts'
import type { Log } from '../src/log.ts'

function lineOf(claims: Record<string, unknown>): Record<string, unknown> {
  let line: Record<string, unknown> = {}
  const exchange = createExchange({ method: 'GET', target: `/${'p'.repeat(5000)}?q` }, 0)
  exchange.verified = { claims, alg: 'ES256', kid: 'k1', anonymous: false }
  const info = (fields: object) => {
    line = { ...fields }
  }
  logExchange({ info } as unknown as Log, exchange, 1.23456)
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

t.test('a claim that is no short text does not fill the log', async (t) => {
  const line = lineOf({ sub: 'x'.repeat(9999), email: { a: 1 }, jti: ['j'] })
  t.equal(line['sub'], 'x'.repeat(256))
  t.equal(line['email'], undefined)
  t.equal(line['jti'], undefined)
})
