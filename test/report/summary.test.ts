import t from 'tap'
import { CODES } from '../../src/errors.ts'
import { summarize, summaryText } from '../../src/report/summary.ts'
import { createTally } from '../../src/report/tally.ts'

function tallyOf(...lines: object[]) {
  const tally = createTally()
  for (const fields of lines)
    tally.add(JSON.stringify({ method: 'GET', ...fields, msg: 'request' }))
  return tally
}

t.test('for people: each code with what to change, its reasons and its requests', async (t) => {
  const at = '2026-01-01T00:00:00.000Z'
  const tally = tallyOf(
    { time: at, path: '/ok', decision: 'forward' },
    { time: at, path: '/ping', would_refuse: 'ERR_ASSERTION_MISSING' },
    { time: at, path: '/ping', would_refuse: 'ERR_ASSERTION_MISSING' },
    { time: at, path: '/x', code: 'ERR_REQUEST_MALFORMED', reason: 'host is absent' },
  )
  t.equal(
    summaryText(summarize(tally)),
    `4 requests, ${at} to ${at}
2 would be refused, 1 were answered by claimgate

ERR_ASSERTION_MISSING: The request carries no assertion
  2 would be refused, 0 answered
  → claimgate: public_paths (the paths that need no user, such as health checks)
  → Pomerium: pass_identity_headers (true, on the route or globally)
  request       2  GET /ping

ERR_REQUEST_MALFORMED: The request is not well-formed HTTP
  0 would be refused, 1 answered
  → claimgate: max_header_size (larger for a 431; else it is the client that sends it)
  reason        1  host is absent
  request       1  GET /x
`,
  )
})

t.test('an empty log, one without refusals, and one with other lines alone say so', async (t) => {
  t.match(summaryText(summarize(tallyOf())), /no line of a request: wanted is the JSON log/)
  t.match(summaryText(summarize(tallyOf({ path: '/' }))), /nothing is in the way of enforcing\n$/)
  const tally = createTally()
  tally.add('words')
  t.match(summaryText(summarize(tally)), /^0 requests \(and 1 other lines\)\n/)
})

t.test('every code has something to change, and at most one thing on each side', async (t) => {
  const { codes } = summarize(tallyOf(...Object.keys(CODES).map((code) => ({ code, path: '/' }))))
  t.equal(codes.length, Object.keys(CODES).length)
  for (const { code, changes } of codes) {
    t.ok(changes.length > 0, code)
    t.equal(new Set(changes.map(({ side }) => side)).size, changes.length, code)
  }
})

t.test('more than ten kinds of requests are counted together', async (t) => {
  const lines = Array.from({ length: 15 }, (_, i) => ({ path: `/${i}`, code: 'ERR_POLICY_DENIED' }))
  const summary = summarize(tallyOf(...lines))
  t.equal(summary.codes[0]?.requests.length, 10)
  t.equal(summary.codes[0]?.other_requests, 5)
  t.match(summaryText(summary), /request {7}5 {2}\(others\)\n/)
})

t.test('nothing in a path moves the cursor', async (t) => {
  const text = summaryText(summarize(tallyOf({ path: '/\u001b[2J\n', code: 'ERR_POLICY_DENIED' })))
  t.match(text, 'GET /\\u{1b}[2J\\u{a}')
})
