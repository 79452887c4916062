import t from 'tap'
import { RejectedError } from '../../src/errors.ts'
import { createRecorder, describeFault } from '../../src/proxy/recorder.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'

const HEAD = { method: 'GET', target: '/', httpVersion: '1.1', rawHeaders: ['Host', 'a'] }

function setUp() {
  const log = createLogRecorder()
  const recorder = createRecorder({
    config: { errorDetail: 'code', logEmail: true },
    decide: async () => ({ lines: [], verified: undefined, dropped: 0 }),
    observer: { begin: () => undefined, end: () => undefined },
    log: log as unknown as Parameters<typeof createRecorder>[0]['log'],
    now: () => 0,
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
