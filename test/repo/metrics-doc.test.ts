import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { METRICS } from '../../src/admin/metrics.ts'
import type { Exchange } from '../../src/exchange.ts'
import { logExchange } from '../../src/exchange.ts'
import { codeSpans, fences, section, tableRows } from '../helpers/markdown.ts'

const METRICS_GUIDE = readFileSync('docs/metrics.md', 'utf8')
const LOG_GUIDE = readFileSync('docs/logging.md', 'utf8')

t.test(
  'docs/metrics.md has every metric with type, labels and meaning, and no other',
  async (t) => {
    const rows = tableRows(METRICS_GUIDE).map(([name = '', type = '', labels = '', help = '']) => ({
      name: codeSpans(name)[0],
      type,
      labels: codeSpans(labels),
      help,
    }))
    const wanted = Object.entries(METRICS).map(([name, row]) => ({
      name,
      type: row.type,
      labels: 'labels' in row ? [...row.labels] : [],
      help: row.help,
    }))
    t.strictSame(rows, wanted)
  },
)

t.test('docs/metrics.md asks only for metrics that exist', async (t) => {
  const queries = [...METRICS_GUIDE.matchAll(/claimgate_\w+/g)].map(([name]) =>
    name.replace(/_bucket$/, ''),
  )
  for (const name of new Set(queries)) t.ok(Object.hasOwn(METRICS, name), name)
})

/** An exchange of which everything is known. */
const EXCHANGE: Exchange = {
  id: 'id',
  method: 'GET',
  path: '/',
  started: 0,
  traceId: 'trace',
  traceParent: 'parent',
  decision: 'forward',
  status: 200,
  code: 'ERR_UPSTREAM_UNAVAILABLE',
  reason: 'reason',
  wouldRefuse: { code: 'ERR_ASSERTION_MISSING', reason: 'reason' },
  verified: {
    claims: { sub: 'sub', email: 'email', jti: 'jti', name: 'hidden', sid: 'hidden' },
    alg: 'ES256',
    kid: 'kid',
    anonymous: false,
  },
  verifyDuration: 1,
  stripped: 1,
  dropped: 1,
  upstreamDuration: 1,
  bytes: 1,
  aborted: true,
}

const written = (): Record<string, unknown> => {
  const lines: Record<string, unknown>[] = []
  const infoJson = (fields: string) => void lines.push(JSON.parse(`{${fields}}`))
  logExchange({ infoJson }, EXCHANGE, 1)
  return lines[0] ?? {}
}

t.test('docs/logging.md has every field of the line of a request, and no other', async (t) => {
  const rows = tableRows(section(LOG_GUIDE, '## One line per request'))
  t.strictSame(
    rows.map(([field = '']) => codeSpans(field)[0]),
    Object.keys(written()),
  )
  t.notMatch(JSON.stringify(written()), 'hidden', 'no other claim is in the line')
})

t.test('the lines it shows have no other fields than a line has', async (t) => {
  const known = ['level', 'time', 'msg', ...Object.keys(written())]
  const shown = (fences(LOG_GUIDE, 'json')[0] ?? '').trim().split('\n')
  t.equal(shown.length, 2)
  for (const line of shown)
    for (const field of Object.keys(JSON.parse(line))) t.ok(known.includes(field), field)
})

/** What stands between the parentheses that open at `start`. */
const argumentsAt = (text: string, start: number): string => {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if ('([{'.includes(text[at] ?? '')) depth++
    if (')]}'.includes(text[at] ?? '') && --depth === 0) return text.slice(start + 1, at)
  }
  throw new Error('a call without an end')
}

/** The messages of all calls of the log: what stands after the last closing bracket of the facts. */
const messagesOf = (text: string): string[] =>
  [...text.matchAll(/\blog\.(?:debug|infoJson|info|warn|error|fatal)(?=\()/g)].flatMap((call) => {
    const given = argumentsAt(text, call.index + call[0].length)
    const message = given.slice(Math.max(given.lastIndexOf('}'), given.lastIndexOf(')')) + 1)
    const literals = [...message.matchAll(/'([^'\n]+)'/g)].map(([, literal]) => literal ?? '')
    if (literals.length === 0) throw new Error(`a call without a fixed message: ${given}`)
    return literals
  })

t.test('docs/logging.md has every message that src writes, and no other', async (t) => {
  const used = globSync('src/**/*.ts', { exclude: ['src/demo/**'] }).flatMap((path) =>
    messagesOf(readFileSync(path, 'utf8')),
  )
  const rows = tableRows(section(LOG_GUIDE, '## Other lines'))
  const listed = ['request', ...rows.flatMap(([messages = '']) => codeSpans(messages))]
  t.strictSame([...new Set(used)].sort(), listed.sort())
})
