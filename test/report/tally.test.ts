import t from 'tap'
import { createTally } from '../../src/report/tally.ts'

const line = (fields: object) =>
  JSON.stringify({
    time: '2026-01-01T00:00:00.000Z',
    method: 'GET',
    path: '/a',
    ...fields,
    msg: 'request',
  })

t.test('what would be refused and what was refused are told apart', async (t) => {
  const tally = createTally()
  tally.add(line({ decision: 'forward' }))
  tally.add(line({ would_refuse: 'ERR_ASSERTION_MISSING', would_refuse_reason: 'why' }))
  tally.add(line({ would_refuse: 'ERR_ASSERTION_MISSING', code: 'ERR_UPSTREAM_TIMEOUT' }))
  tally.add(line({ code: 'ERR_REQUEST_MALFORMED', reason: 'host is absent', method: 5 }))
  t.equal(tally.totals.requests, 4)
  t.strictSame(
    tally.codes().map(({ code, wouldRefuse, refused }) => [code, wouldRefuse, refused]),
    [
      ['ERR_ASSERTION_MISSING', 2, 0],
      ['ERR_UPSTREAM_TIMEOUT', 0, 1],
      ['ERR_REQUEST_MALFORMED', 0, 1],
    ],
  )
  const [missing, , malformed] = tally.codes()
  t.strictSame(missing?.reasons.top(5), [{ text: 'why', count: 1 }])
  t.strictSame(missing?.requests.top(5), [{ text: 'GET /a', count: 2 }])
  t.strictSame(malformed?.requests.top(5), [{ text: '- /a', count: 1 }])
})

t.test('lines that are not about a request are counted and change nothing', async (t) => {
  const tally = createTally()
  for (const other of [
    'plain words',
    '{"msg":"listening"}',
    '{broken',
    '[1]',
    'null',
    '{"msg":"request"',
    '{}',
  ])
    tally.add(other)
  tally.add('')
  tally.add('  ')
  t.equal(tally.totals.otherLines, 7)
  t.equal(tally.totals.requests, 0)
  t.strictSame(tally.codes(), [])
})

t.test('codes that are none make no entry', async (t) => {
  const tally = createTally()
  for (const code of ['ERR_OTHER', 'constructor', '__proto__', 1, {}, null])
    tally.add(line({ code, would_refuse: code }))
  t.strictSame(tally.codes(), [])
  t.equal(tally.totals.requests, 6)
})

t.test('what a container runtime writes in front of a line does not hide it', async (t) => {
  const tally = createTally()
  const json = line({ code: 'ERR_POLICY_DENIED', time: '2026-01-02T00:00:00.000Z' })
  tally.add(`claimgate-1  | ${json}`)
  tally.add(`2026-01-02T00:00:00.1Z stdout F ${json}`)
  t.equal(tally.codes()[0]?.refused, 2)
  t.equal(tally.totals.since, '2026-01-02T00:00:00.000Z')
})
