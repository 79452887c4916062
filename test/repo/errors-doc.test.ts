import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { SETTINGS } from '../../src/config/settings.ts'
import { CODES, RejectedError } from '../../src/errors.ts'
import { problemAnswer } from '../../src/pages/problem.ts'
import { codeSpans, fences, section, tableRows } from '../helpers/markdown.ts'

const GUIDE = readFileSync('docs/errors.md', 'utf8')

t.test(
  'every code has its section, in the order of the table, and there is no other',
  async (t) => {
    const headings = [...GUIDE.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    t.strictSame(headings, Object.keys(CODES))
  },
)

for (const [code, { status, title }] of Object.entries(CODES))
  t.test(`${code}: status, title, meaning, what is in the log, how to mend it`, async (t) => {
    const text = section(GUIDE, `## ${code}`)
    t.equal(text.split('\n')[1], `**${status}** ${title}`)
    t.match(text, /^To mend it[:,]/m)
    const meaning = text.slice(0, text.indexOf('In the log:')).split('\n').slice(3).join(' ')
    t.ok(/^In the log: [\s\S]+\n\nTo mend it/m.test(text), 'it says what the log holds')
    t.ok(meaning.trim().length > 60, 'it says what the code means')
  })

t.test('the statuses of malformed HTTP are those that src can answer with', async (t) => {
  const rows = tableRows(section(GUIDE, '## ERR_REQUEST_MALFORMED'))
  const sources = ['gate', 'bare-sockets', 'data-server', 'relay'].map((name) =>
    readFileSync(`src/proxy/${name}.ts`, 'utf8'),
  )
  const used = sources.flatMap((text) => [
    ...[...text.matchAll(/malformed\([^)]*?, (\d{3})\)/g)].map(([, status]) => status),
    ...[...text.matchAll(/status: (4\d\d|5\d\d)\b/g)].map(([, status]) => status),
    ...[...text.matchAll(/(?:HPE|ERR_HTTP)_\w+: (\d{3})/g)].map(([, status]) => status),
  ])
  t.strictSame(
    rows.map(([status]) => status),
    [...new Set(['400', ...used])].sort(),
  )
})

t.test('the answer it shows is one that is sent', async (t) => {
  const shown = fences(GUIDE, 'json')[0] ?? ''
  const { request_id: requestId } = JSON.parse(shown)
  const error = new RejectedError('ERR_ASSERTION_MISSING')
  const answer = problemAnswer(error, { requestId, accept: undefined, detail: 'code' })
  t.equal(answer.body.toString(), shown)
})

t.test('a setting is only called not supported when it is refused', async (t) => {
  const isRefused = (name: string) =>
    SETTINGS[name as keyof typeof SETTINGS].summary.endsWith('Not supported yet.')
  for (const [, names = ''] of GUIDE.matchAll(/Not supported yet: (.*)\.$/gm))
    for (const name of codeSpans(names)) t.ok(isRefused(name), name)
})

/** System and library codes, reasons made of a claim's name and a fixed word, and what is no reason. */
const NOT_WRITTEN_IN_SRC = /^(?:E[A-Z]+|(?:iss|aud|exp|nbf|iat) is (?:absent|unusable)|-)$/

t.test('what it says the log holds is written in src', async (t) => {
  const src = globSync('src/**/*.ts').map((path) => readFileSync(path, 'utf8'))
  for (const code of Object.keys(CODES)) {
    const [, log = ''] = /^In the log: ([\s\S]+?)\n\n/m.exec(section(GUIDE, `## ${code}`)) ?? []
    for (const span of codeSpans(log).map((text) => text.replace(/^decision: /, '')))
      t.ok(
        NOT_WRITTEN_IN_SRC.test(span) || src.some((text) => text.includes(span)),
        `${code}: ${span}`,
      )
  }
})
