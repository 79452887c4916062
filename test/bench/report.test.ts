import t from 'tap'
import { betweenMarkers, markdownReport } from '../../bench/report/report.ts'
import { barPlot } from '../../bench/report/svg.ts'
import { figure, markdownTable } from '../../bench/report/table.ts'

t.test('a figure has as many digits as it can bear', async (t) => {
  const figures = [1234.5, 123.45, 12.345, 1.2345, 0.012, Number.NaN, undefined].map(figure)
  t.strictSame(figures, ['1,235', '123', '12.3', '1.23', '0.01', '–', '–'])
})

const TABLE = { title: 'One', columns: ['proxy', 'µs'], rows: [['a', '1.00']], notes: ['so'] }

t.test('a table is Markdown', async (t) => {
  t.equal(markdownTable(TABLE), '### One\n\n| proxy | µs |\n| --- | --: |\n| a | 1.00 |\n\n- so')
})

const CIRCUMSTANCES = {
  date: '2026-11-25',
  machine: 'two processors',
  versions: 'Node 26',
  rounds: 9,
  isQuick: false,
  absent: [{ title: 'Envoy', why: 'envoy is not in PATH' }],
}

t.test('a report names the machine and what is absent', async (t) => {
  const parts = [{ name: 'one', tables: [TABLE], data: {} }]
  const report = markdownReport({ circumstances: CIRCUMSTANCES, parts })
  t.match(report, '2026-11-25, two processors; Node 26; 9 rounds.')
  t.match(report, '- Absent: Envoy: envoy is not in PATH.')
  t.notMatch(report, 'quick run')
  const quick = { circumstances: { ...CIRCUMSTANCES, isQuick: true }, parts }
  t.match(markdownReport(quick), '**A quick run: these figures mean nothing.**')
})

const BEGIN = '<!-- figures: written by npm run bench -- --docs -->'
const END = '<!-- end of figures -->'

t.test('what is between the markers is replaced, and nothing else', async (t) => {
  const document = `before\n${BEGIN}\nold\n${END}\nafter\n`
  const once = betweenMarkers(document, 'new')
  t.equal(once, `before\n${BEGIN}\n\nnew\n\n${END}\nafter\n`)
  t.equal(betweenMarkers(once, 'new'), once)
})

t.test('a document without its markers is not touched', async (t) => {
  const wrong = { message: /needs "<!-- figures/ }
  t.throws(() => betweenMarkers('text', 'new'), wrong)
  t.throws(() => betweenMarkers(`${END} ${BEGIN}`, 'new'), wrong)
  t.throws(() => betweenMarkers(`${BEGIN} ${BEGIN} ${END}`, 'new'), wrong)
})

t.test('the longest bar is as long as there is room, others in proportion', async (t) => {
  const bar = { text: '', emphasis: 'other' } as const
  const plot = barPlot('A & <B>', [
    { ...bar, label: 'long', value: 4 },
    { ...bar, label: 'half', value: 2 },
    { ...bar, label: 'none', value: 0 },
  ])
  const widths = [...plot.matchAll(/<rect x[^>]* width="([\d.]+)"/g)].map(([, width]) => width)
  t.strictSame(widths, ['300.0', '150.0', '1.0'])
  t.match(plot, '<title>A &amp; &lt;B&gt;</title>')
  t.notMatch(plot, /<script|href|NaN/)
})
