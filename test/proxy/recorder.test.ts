import t from 'tap'
import type { Decide, Decision } from '../../src/decision.ts'
import { RejectedError } from '../../src/errors.ts'
import { createRecorder, describeFault } from '../../src/proxy/recorder.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'

const DECISION: Decision = { lines: [], verified: undefined, dropped: 0 }
const HEAD = { method: 'GET', target: '/', httpVersion: '1.1', rawHeaders: ['Host', 'a'] }

interface Parts {
  readonly decide?: Decide
  readonly defer?: (run: () => void) => void
  /** Told of each exchange that ended; may throw. */
  readonly count?: (id: string) => void
}

function setUp({
  decide = async () => DECISION,
  defer = (run) => run(),
  count = () => undefined,
}: Parts = {}) {
  const log = createLogRecorder()
  const recorder = createRecorder({
    config: { errorDetail: 'code', logEmail: true },
    decide,
    observer: { begin: () => undefined, end: ({ id }) => count(id) },
    log: log as unknown as Parameters<typeof createRecorder>[0]['log'],
    now: () => 0,
    defer,
  })
  return { log, recorder }
}

t.test('a fault of ours is answered with 500 and nothing of what it says', async (t) => {
  for (const fault of [new TypeError('secret'), 'secret', undefined, { code: 'ERR_SECRET' }]) {
    const { log, recorder } = setUp()
    const exchange = recorder.begin(HEAD)
    const { status, body, headers } = recorder.answer(fault, exchange, HEAD.rawHeaders)
    t.equal(status, 500)
    t.equal(exchange.status, 500)
    t.equal(exchange.code, undefined)
    t.notMatch(`${body}${headers.join()}${JSON.stringify(log.lines)}`, /secret/i)
    t.match(log.lines, [{ level: 'error', message: 'internal error' }])
  }
})

t.test('what waits for decisions comes at the end of the last, however that ends', async (t) => {
  const ends: { resolve: (decision: Decision) => void; reject: (error: unknown) => void }[] = []
  const { recorder } = setUp({
    decide: () => new Promise((resolve, reject) => void ends.push({ resolve, reject })),
  })
  let calls = 0
  const call = () => {
    calls++
  }
  recorder.whenUndecided(call)
  t.equal(calls, 1, 'at once while nothing is decided')
  const first = recorder.decide(HEAD, recorder.begin(HEAD))
  const second = recorder.decide(HEAD, recorder.begin(HEAD))
  recorder.whenUndecided(call)
  t.equal(calls, 1, 'not while two are under way')
  ends[0]?.resolve(DECISION)
  await first
  t.equal(calls, 1, 'not while one is')
  ends[1]?.reject(new RejectedError('ERR_ASSERTION_MISSING'))
  await t.rejects(second, { code: 'ERR_ASSERTION_MISSING' })
  t.equal(calls, 2)
  recorder.whenUndecided(call)
  t.equal(calls, 3, 'at once again')
})

t.test('what ends in one turn is counted and written together, once, as it was at its end', (t) => {
  const deferred: (() => void)[] = []
  const counted: string[] = []
  const { log, recorder } = setUp({
    defer: (run) => deferred.push(run),
    count: (id) => counted.push(id),
  })
  const [first, second] = [recorder.begin(HEAD), recorder.begin(HEAD)]
  first.status = 200
  recorder.end(first)
  first.status = 500
  recorder.end(second)
  t.equal(deferred.length, 1)
  t.same([log.lines, counted], [[], []])
  deferred[0]?.()
  const both = [first.id, second.id]
  t.same(counted, both)
  t.match(log.lines, [
    { message: 'request', fields: { request_id: first.id, status: 200 } },
    { message: 'request', fields: { request_id: second.id } },
  ])
  recorder.end(recorder.begin(HEAD))
  deferred[1]?.()
  t.equal(counted.length, 3)
  t.equal(log.lines.length, 3)
  t.end()
})

t.test('an exchange that cannot be counted leaves its line, and the others theirs', (t) => {
  const deferred: (() => void)[] = []
  const counted: string[] = []
  const { log, recorder } = setUp({
    defer: (run) => deferred.push(run),
    count(id) {
      if (counted.push(id) === 1) throw new TypeError('secret')
    },
  })
  recorder.end(recorder.begin(HEAD))
  recorder.end(recorder.begin(HEAD))
  deferred[0]?.()
  t.equal(counted.length, 2)
  t.match(log.lines, [
    { level: 'error', message: 'internal error', fields: { fault: 'TypeError' } },
    { message: 'request' },
    { message: 'request' },
  ])
  t.end()
})

t.test('a refusal is recorded with its code, its status and its reason', async (t) => {
  const { log, recorder } = setUp()
  const exchange = recorder.begin(HEAD)
  const refusal = new RejectedError('ERR_REQUEST_MALFORMED', { status: 417, reason: 'why' })
  t.equal(recorder.answer(refusal, exchange, HEAD.rawHeaders).status, 417)
  t.match(exchange, {
    code: 'ERR_REQUEST_MALFORMED',
    status: 417,
    reason: 'why',
    decision: 'reject',
  })
  t.same(log.lines, [])
})

t.test(
  'describeFault() tells where a fault happened, and its code, but not its message',
  async (t) => {
    const fault = Object.assign(new RangeError('secret\n    of two lines'), { code: 'ERR_X' })
    const { fault: name, at } = describeFault(fault)
    t.equal(name, 'RangeError ERR_X')
    t.match(at, /recorder\.test\.ts/)
    t.notMatch(at, /secret/)
    t.same(describeFault('secret'), { fault: 'string', at: '' })
  },
)
