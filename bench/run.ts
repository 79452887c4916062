/**
 * Measures claimgate beside other proxies: `npm run bench`. Prints a report in Markdown and writes all samples to
 * bench/results/. docs/performance.md says how it is done.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { missingCounters } from './measure/perf.ts'
import { missingAccounting } from './measure/process.ts'
import { type Options, readOptions } from './options.ts'
import { PARTS } from './parts/all.ts'
import type { PartContext } from './parts/part.ts'
import { type Absence, PEERS, takeRoll } from './peers/all.ts'
import { oneCore, pinSelf } from './pin.ts'
import { betweenMarkers, type Circumstances, markdownReport, type Result } from './report/report.ts'
import { barPlot } from './report/svg.ts'
import { openStage } from './stage.ts'

const RESULTS = 'bench/results'
const GUIDE = 'docs/performance.md'
const PLOT = 'docs/performance.svg'
const TOKENS = 20_000

const tell = (text: string) => process.stderr.write(`${text}\n`)

function circumstancesOf(
  { rounds, scale }: Options,
  absent: readonly Absence[],
  counters: string | undefined,
): Circumstances {
  const [processor] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${processor?.model.trim() ?? 'unknown processor'}, ${memory}, Linux ${release()}`,
    versions: `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    rounds,
    isQuick: scale < 1,
    absent: [
      ...absent.map(({ peer, why }) => ({ title: peer.title, why })),
      ...(counters === undefined ? [] : [{ title: 'instructions', why: counters }]),
    ],
  }
}

async function measure(options: Options): Promise<Result> {
  const impossible = missingAccounting()
  if (impossible !== undefined) throw new Error(impossible)
  const cores = oneCore()
  pinSelf(cores)
  const asked = PEERS.filter(({ name }) => options.only?.includes(name) ?? true)
  const { present, absent } = takeRoll(asked)
  for (const { peer, why } of absent) tell(`absent: ${peer.name}: ${why}`)
  const counters = missingCounters()
  const stage = await openStage({ cores, tokens: Math.max(1_000, TOKENS * options.scale) })
  const interrupted = () => void stage.end().finally(() => process.exit(130))
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  const { rounds, scale } = options
  const withCounters = counters === undefined
  const context: PartContext = { stage, peers: present, rounds, scale, withCounters, tell }
  try {
    const parts: Result['parts'][number][] = []
    for (const name of options.parts) {
      tell(`part ${name}`)
      parts.push({ name, ...(await PARTS[name](context)) })
    }
    return { circumstances: circumstancesOf(options, absent, counters), parts }
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    await stage.end()
  }
}

function keep(result: Result): string {
  mkdirSync(RESULTS, { recursive: true })
  const file = `${RESULTS}/${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.json`
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`)
  return file
}

/** The plot beside a result, and in the docs when asked for. */
function drawPlot({ parts }: Result, paths: readonly string[]): void {
  const plot = parts.find((part) => part.plot !== undefined)?.plot
  if (plot === undefined) return
  for (const path of paths) writeFileSync(path, barPlot(plot.title, plot.bars))
}

async function main(): Promise<void> {
  const names = PEERS.map(({ name }) => name)
  const options = readOptions(process.argv.slice(2), names)
  const { from, intoDocs } = options
  const result: Result =
    from === undefined ? await measure(options) : JSON.parse(readFileSync(from, 'utf8'))
  const file = from ?? keep(result)
  drawPlot(result, [file.replace(/\.json$/, '.svg'), ...(intoDocs ? [PLOT] : [])])
  const report = markdownReport(result)
  if (intoDocs) writeFileSync(GUIDE, betweenMarkers(readFileSync(GUIDE, 'utf8'), report))
  console.log(report)
  tell(`all samples: ${file}`)
}

main().catch((error: unknown) => {
  tell(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
})
