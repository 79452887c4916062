import { Writable } from 'node:stream'
import { mock } from 'node:test'
import fc from 'fast-check'
import t from 'tap'
import { createExchange, logExchange } from '../src/exchange.ts'
import { createLineWriter, createLog, createTimestamp, prettyLine } from '../src/log.ts'

t.test(
  'createLog() writes one JSON object a line, with the time and without host or pid',
  async (t) => {
    const lines: string[] = []
    const log = createLog(
      { logLevel: 'info', logFormat: 'json' },
      { write: (line) => lines.push(line) },
    )
    log.info({ a: 1 }, 'message')
    log.debug({}, 'not at this level')
    t.equal(lines.length, 1)
    const { time, ...rest } = JSON.parse(lines[0] ?? '')
    t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    t.same(rest, { level: 30, a: 1, msg: 'message' })
  },
)

t.test('fields that are JSON already make a line like any other', async (t) => {
  for (const logFormat of ['json', 'pretty'] as const) {
    const lines: string[] = []
    const log = createLog({ logLevel: 'info', logFormat }, { write: (line) => lines.push(line) })
    log.info({ a: 1, b: 'c' }, 'message')
    log.infoJson('"a":1,"b":"c"', 'message')
    const [ours = '', theirs = ''] = lines.map((line) => line.replace(/\d\d:[\d:.]+/, ''))
    t.equal(ours, theirs, logFormat)
  }
})

t.test('the line of a request is the one that pino would write, whatever is in it', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('"', '\\', '\n', '\u2028', '\ud800', '\0', '","x":"', '</script>', '\x7f'),
  )
  const exchanges = fc.record({ path: text, reason: text, method: text, sub: text, kid: text })
  fc.assert(
    fc.property(exchanges, ({ path, reason, method, sub, kid }) => {
      const lines: string[] = []
      const destination = { write: (line: string) => lines.push(line) }
      const log = createLog({ logLevel: 'info', logFormat: 'json' }, destination)
      const exchange = createExchange({ method, target: path }, 0)
      exchange.reason = reason
      exchange.verified = { claims: { sub, jti: reason }, alg: 'ES256', kid, anonymous: false }
      logExchange(log, exchange, 1.5)
      const [ours = ''] = lines
      const { level, time, msg, ...fields } = JSON.parse(ours)
      log.info(fields, 'request')
      const [, theirs = ''] = lines
      const withoutTime = (line: string) => line.replace(/"time":"[^"]*"/, '')
      return (
        /^[^\n\r]+\n$/.test(ours) &&
        level === 30 &&
        msg === 'request' &&
        !Number.isNaN(Date.parse(time)) &&
        fields.reason === reason &&
        fields.method === method &&
        withoutTime(ours) === withoutTime(theirs)
      )
    }),
    { numRuns: 2_000 },
  )
  t.pass('for 2000 requests')
})

t.test('a line with fields that are JSON is left out below its level', async (t) => {
  const lines: string[] = []
  const log = createLog(
    { logLevel: 'warn', logFormat: 'json' },
    { write: (line) => lines.push(line) },
  )
  log.infoJson('"a":1', 'message')
  t.same(lines, [])
})

t.test('createTimestamp() gives each millisecond its own text', async (t) => {
  let now = 1_800_000_000_000
  const timestamp = createTimestamp(() => now)
  t.equal(timestamp(), ',"time":"2027-01-15T08:00:00.000Z"')
  t.equal(timestamp(), ',"time":"2027-01-15T08:00:00.000Z"')
  now += 1
  t.equal(timestamp(), ',"time":"2027-01-15T08:00:00.001Z"')
  now -= 2
  t.equal(timestamp(), ',"time":"2027-01-15T07:59:59.999Z"', 'a clock that was set back')
})

t.test('createLog() writes lines for people with log_format: pretty', async (t) => {
  const lines: string[] = []
  const log = createLog(
    { logLevel: 'info', logFormat: 'pretty' },
    { write: (line) => lines.push(line) },
  )
  log.warn({ status: 401, path: '/a b' }, 'request')
  t.match(lines.join(''), /^\d\d:\d\d:\d\d\.\d{3} WARN {2}request status=401 path="\/a b"\n$/)
})

t.test('prettyLine() keeps control characters of a value escaped', async (t) => {
  const json = JSON.stringify({
    time: '2026-01-01T00:00:00.000Z',
    level: 30,
    msg: 'm',
    path: '/\n\u001b[31m',
  })
  t.equal(prettyLine(json), '00:00:00.000 INFO  m path="/\\n\\u001b[31m"\n')
})

/** A consumer that takes a batch when told to, or fails. */
function slowConsumer() {
  const batches: string[] = []
  let taken: ((error?: Error) => void) | undefined
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      batches.push(chunk)
      taken = done
    },
  })
  return { stream, batches, take: (error?: Error) => taken?.(error) }
}

t.test('lines are written in batches, one at a time and in order', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { stream, batches, take } = slowConsumer()
  const writer = createLineWriter(stream, () => t.fail('nothing is dropped'))
  writer.write('1\n')
  writer.write('2\n')
  t.same(batches, [], 'not while the line is made')
  mock.timers.tick(20)
  writer.write('3\n')
  writer.write('4\n')
  mock.timers.tick(20)
  t.same(batches, ['1\n2\n'])
  take()
  t.same(batches, ['1\n2\n', '3\n4\n'])
})

t.test(
  'of what a consumer does not take 4 MiB are kept; the rest is dropped and counted',
  async (t) => {
    const { stream, batches, take } = slowConsumer()
    const told: number[] = []
    const writer = createLineWriter(stream, (lines) => told.push(lines))
    const line = `${'x'.repeat(1023)}\n`
    for (let i = 0; i < 5_000; i++) writer.write(line)
    t.equal(batches[0]?.length, 16 * 1024, 'the first batch goes out when it is large enough')
    t.equal(writer.write(line), false)
    t.same(told, [])
    take()
    t.same(told, [5_000 - 4_096 + 1])
    t.equal(batches[1]?.length, 4 * 1024 * 1024 - 16 * 1024)
    t.equal(writer.write(line), true)
    take()
    t.equal(batches[2], line)
    take()
    t.equal(told.length, 1)
  },
)

t.test('flush() calls back when all is written', async (t) => {
  const { stream, batches, take } = slowConsumer()
  const writer = createLineWriter(stream, () => undefined)
  let isFlushed = false
  const whenFlushed = () => {
    isFlushed = true
  }
  writer.flush(whenFlushed)
  t.ok(isFlushed, 'nothing to write')
  isFlushed = false
  writer.write('1\n')
  writer.flush(whenFlushed)
  writer.write('2\n')
  t.same(batches, ['1\n'], 'at once')
  writer.flush(() => undefined)
  take()
  t.notOk(isFlushed, 'not while another batch is written, whoever asks again')
  take()
  t.ok(isFlushed)
})

t.test('a consumer that is gone ends neither the process nor the flush', async (t) => {
  const { stream, take } = slowConsumer()
  const writer = createLineWriter(stream, () => undefined)
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  writer.write('1\n')
  mock.timers.tick(20)
  take(new Error('EPIPE'))
  for (let i = 0; i < 10_000; i++) writer.write('x'.repeat(1024))
  await t.resolves(new Promise<void>((resolve) => writer.flush(resolve)))
})

t.test('log_format: pretty is flushed, too', async (t) => {
  const { stream, batches, take } = slowConsumer()
  const writer = createLineWriter(stream, () => undefined)
  const log = createLog({ logLevel: 'info', logFormat: 'pretty' }, writer)
  log.info('last words')
  const flushed = new Promise<void>((resolve) => log.flush(() => resolve()))
  t.match(batches.join(''), 'INFO  last words\n')
  take()
  await flushed
})
