/**
 * Runs every runner of test/corpus and ends with a table of what they ran: `npm run corpus`, or with `-- --only TEXT`
 * the runners whose name holds the text.
 *
 * Ends with 1 when a runner failed or a case deviated.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'

const FOLDER = 'test/corpus'

/** One line of the table: what a runner says of one file of the corpus. */
interface Row {
  readonly name: string
  readonly ran: number
  readonly deviations: number
  readonly notRun: number
}

interface Report {
  readonly rows: readonly Row[]
  /** Cases that were not run, and why. */
  readonly excuses: readonly string[]
  readonly hasFailed: boolean
}

const { values: flags } = parseArgs({ options: { only: { type: 'string', default: '' } } })

async function main(): Promise<void> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts'))
  const reports: Report[] = []
  for (const file of files.filter((name) => name.includes(flags.only))) {
    const output = await run(join(FOLDER, file))
    const report = read(output)
    if (report.hasFailed) process.stdout.write(output.text)
    console.log(`${report.hasFailed ? 'failed' : 'passed'}: ${basename(file, '.test.ts')}`)
    reports.push(report)
  }
  const rows = reports.flatMap((report) => report.rows)
  if (rows.length === 0) {
    console.log('nothing ran: no such runner, or its vectors are not at hand')
    process.exitCode = 1
    return
  }
  for (const excuse of reports.flatMap((report) => report.excuses)) console.log(excuse)
  console.log(`\n${table(rows)}`)
  const isBad = reports.some(({ hasFailed }) => hasFailed) || rows.some((row) => row.deviations > 0)
  process.exitCode = isBad ? 1 : 0
}

interface Output {
  readonly text: string
  readonly exitCode: number | null
}

function run(file: string): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ text, exitCode }))
  })
}

/** The comments that runners write, among the results of their tests. */
function read({ text, exitCode }: Output): Report {
  const rows: Row[] = []
  const excuses: string[] = []
  let title = ''
  for (const line of text.split('\n')) {
    title = /^ *# Subtest: (\S+\.json.*)$/.exec(line)?.[1] ?? title
    const excuse = /^ *# (not run: .*)$/.exec(line)?.[1]
    if (excuse !== undefined) excuses.push(excuse)
    const [, file, ...counts] =
      /^ *# (\S+\.json): (\d+) ran, (\d+) deviations, (\d+) not run$/.exec(line) ?? []
    if (file === undefined) continue
    const [ran = 0, deviations = 0, notRun = 0] = counts.map(Number)
    rows.push({ name: title.startsWith(file) ? title : file, ran, deviations, notRun })
  }
  return { rows, excuses, hasFailed: exitCode !== 0 }
}

function table(rows: readonly Row[]): string {
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0)
  const all = {
    name: 'all',
    ran: sum(({ ran }) => ran),
    deviations: sum(({ deviations }) => deviations),
    notRun: sum(({ notRun }) => notRun),
  }
  const lines = [
    ['file', 'ran', 'deviations', 'not run'],
    ...[...rows, all].map(({ name, ran, deviations, notRun }) =>
      [name, ran, deviations, notRun].map(String),
    ),
  ]
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join(' | '),
    )
    .join('\n')
}

await main()
