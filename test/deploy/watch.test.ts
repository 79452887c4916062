import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { METRICS } from '../../src/admin/metrics.ts'
import { CODES } from '../../src/errors.ts'
import { codeSpans, section, tableRows } from '../helpers/markdown.ts'
import { quietMetrics } from '../helpers/metrics.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly datasource: { readonly uid: string }
  }[]
}

const RULES = 'deploy/prometheus/claimgate.rules.yml'
const RULE_TESTS = 'deploy/prometheus/claimgate.rules.test.yml'
const rules: readonly Rule[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
)
const dashboard = JSON.parse(readFileSync('deploy/grafana/claimgate.json', 'utf8'))
const panels: readonly Panel[] = dashboard.panels
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

const noPromtool =
  spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not here'

/** Names of series in a query: what is no label, no function and no text. */
const seriesOf = (query: string): string[] =>
  query.match(/\b(?:claimgate|process|nodejs)_\w+(?![\w"])/g) ?? []

/** The names of all series, as Prometheus would store them. */
const known = async (): Promise<Set<string>> => {
  const text = await quietMetrics().text()
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  const ours = Object.entries(METRICS).map(([name, { type }]) => ['', name, type])
  return new Set(
    [...types, ...ours].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  )
}

t.test('every query asks for series that exist', async (t) => {
  const series = await known()
  const asked = [...rules.map(({ expr }) => expr), ...queries]
  t.ok(asked.length > 30)
  for (const query of asked) {
    const names = seriesOf(query).filter((name) => name !== 'up')
    t.ok(names.length > 0, query)
    for (const name of names) t.ok(series.has(name), `${name} in ${query}`)
  }
})

t.test('every metric of claimgate is on the dashboard', async (t) => {
  const shown = queries.join('\n')
  for (const name of Object.keys(METRICS)) t.match(shown, new RegExp(`\\b${name}(_bucket)?\\b`))
})

t.test('labels that queries compare are labels of the metric, and codes exist', async (t) => {
  for (const query of [...rules.map(({ expr }) => expr), ...queries]) {
    for (const [, name = '', selector = ''] of query.matchAll(/(claimgate_\w+)\{([^}]*)\}/g)) {
      const row = METRICS[name.replace(/_bucket$/, '') as keyof typeof METRICS]
      const labels = ['job', 'instance', ...('labels' in row ? row.labels : [])]
      for (const [, label = ''] of selector.matchAll(/(\w+)\s*=~?\s*"/g))
        t.ok(labels.includes(label), `${label} of ${name}`)
    }
    for (const [, pattern = ''] of query.matchAll(/code=~?"([^"]+)"/g))
      for (const branch of pattern
        .replace(/(\w+)\((.*)\)/, (_, head: string, tails: string) =>
          tails
            .split('|')
            .map((tail) => head + tail)
            .join('|'),
        )
        .split('|'))
        t.ok(
          Object.keys(CODES).some((code) => new RegExp(`^${branch}$`).test(code)),
          branch,
        )
  }
})

t.test('every alert says how bad it is, what is the matter and where', async (t) => {
  for (const { alert, labels, annotations } of rules) {
    t.match(alert, /^Claimgate[A-Z]\w+$/)
    t.ok(['critical', 'warning', 'info'].includes(labels.severity), alert)
    t.ok(annotations.summary.length > 10)
    t.match(annotations.description, /\{\{ \$labels\.instance \}\}/)
  }
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
})

t.test('every alert has a test in which it fires and one in which it does not', async (t) => {
  const names = parse(readFileSync(RULE_TESTS, 'utf8')).tests.map(
    ({ name }: { name: string }) => name,
  )
  for (const { alert } of rules) {
    t.ok(names.includes(`${alert} fires`), `${alert} fires`)
    t.ok(names.includes(`${alert} stays quiet`), `${alert} stays quiet`)
  }
})

for (const [what, ...command] of [
  ['the rules are well-formed', 'check', 'rules', RULES],
  ['each alert fires when it should and only then', 'test', 'rules', RULE_TESTS],
]) {
  t.test(`promtool: ${what}`, { skip: noPromtool }, async (t) => {
    const { status, stdout, stderr } = spawnSync('promtool', command, { encoding: 'utf8' })
    t.equal(status, 0, stdout + stderr)
    t.match(stdout, 'SUCCESS')
  })
}

t.test('the dashboard is one that Grafana can lay out', async (t) => {
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const taken = new Set<string>()
  for (const { type, title, gridPos, targets = [] } of panels) {
    t.ok(['row', 'stat', 'timeseries'].includes(type), title)
    t.ok(gridPos.x + gridPos.w <= 24, `${title} fits`)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        t.notOk(taken.has(`${x},${y}`), `${title} lies on nothing`)
        taken.add(`${x},${y}`)
      }
    t.equal(targets.length > 0, type !== 'row', title)
    t.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own way to name a variable
    for (const { datasource } of targets) t.equal(datasource.uid, '${datasource}')
  }
})

t.test('the dashboard defines every variable that its queries use', async (t) => {
  const defined = dashboard.templating.list.map(({ name }: { name: string }) => name)
  for (const query of queries)
    for (const [, name = ''] of query.matchAll(/\$(\w+)/g))
      t.ok([...defined, '__rate_interval'].includes(name), `$${name}`)
})

t.test('Prometheus can read every query of the dashboard', { skip: noPromtool }, async (t) => {
  const rules = queries.map((query, index) => ({
    record: `query:${index}`,
    expr: query.replaceAll('$__rate_interval', '5m'),
  }))
  const folder = t.testdir({ 'queries.yml': JSON.stringify({ groups: [{ name: 'all', rules }] }) })
  const { status, stdout, stderr } = spawnSync(
    'promtool',
    ['check', 'rules', `${folder}/queries.yml`],
    { encoding: 'utf8' },
  )
  t.equal(status, 0, stdout + stderr)
  t.match(stdout, `${queries.length} rules found`)
})

t.test('docs/metrics.md tells of every alert, with its severity', async (t) => {
  const guide = readFileSync('docs/metrics.md', 'utf8')
  const told = tableRows(section(guide, '## Dashboard and alerts')).flatMap(
    ([names = '', severity = '']) => codeSpans(names).map((name) => [name, severity]),
  )
  const wanted = rules.map(({ alert, labels }) => [alert, labels.severity])
  t.strictSame(told.sort(), wanted.sort())
})
