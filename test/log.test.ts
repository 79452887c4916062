import t from 'tap'
import { createLog, prettyLine } from '../src/log.ts'

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
