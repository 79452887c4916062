import { CODES } from '../errors.ts'
import type { IdentityLines } from '../identity/headers.ts'
import type { Examination } from './examine.ts'
import { describeOutcomes, type Row, type Surroundings } from './rows.ts'
import { printable } from './words.ts'

/** One identity header as the app would get it. */
interface SentHeader {
  readonly name: string
  /** As UTF-8, which is how most encodings are meant. */
  readonly value: string
  readonly bytes: number
}

/** Everything that is told; holds no byte of the signature. */
export interface Report {
  readonly verdict: 'accepted' | 'refused'
  readonly code: string | undefined
  readonly status: number | undefined
  readonly title: string | undefined
  readonly clock: string
  /** How this clock compares with that of the key set's server; `undefined`: there was nothing to compare with. */
  readonly clock_note: string | undefined
  /** A key of the key set vouches for the claims. */
  readonly verified: boolean
  readonly checks: readonly Row[]
  /** Settings that are about a request and so may still refuse it. */
  readonly not_judged: readonly string[]
  /** `undefined`: what they would be cannot be said. */
  readonly headers: readonly SentHeader[] | undefined
  readonly dropped_items: number
}

export function createReport(examination: Examination, surroundings: Surroundings): Report {
  const { verdict, identity, isSigned } = examination
  return {
    verdict: verdict === undefined ? 'accepted' : 'refused',
    code: verdict?.code,
    status: verdict?.status,
    title: verdict && CODES[verdict.code].title,
    clock: new Date(surroundings.now).toISOString(),
    clock_note: surroundings.clockNote,
    verified: isSigned,
    checks: describeOutcomes(examination, surroundings),
    not_judged: surroundings.notJudged,
    headers: identity && sentHeaders(identity),
    dropped_items: identity?.dropped ?? 0,
  }
}

function sentHeaders({ lines }: IdentityLines): SentHeader[] {
  const sent: SentHeader[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const bytes = Buffer.from(lines[i + 1] ?? '', 'latin1')
    sent.push({ name: lines[i] ?? '', value: bytes.toString('utf8'), bytes: bytes.length })
  }
  return sent
}

export const reportJson = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`

/** For a terminal. */
export function reportText(report: Report): string {
  const { checks, clock, clock_note: note, verified } = report
  const clockLine = `clock here: ${clock}${note === undefined ? '' : ` (${note})`}`
  const lines = [verdictLine(report), clockLine, '']
  for (const row of checks) {
    if (row.check === 'claims' && row.result !== 'not reached' && !verified)
      lines.push('  (nobody vouches for what follows: no signature was verified)')
    lines.push(...rowLines(row))
  }
  return `${[...lines, ...headerLines(report), ...restLines(report)].join('\n')}\n`
}

const restLines = ({ not_judged: names }: Report): string[] =>
  names.length === 0 ? [] : ['', `not judged, since it takes a request: ${names.join(', ')}`]

const verdictLine = ({ code, status, title }: Report): string =>
  code === undefined ? 'ACCEPTED' : `REFUSED with ${status} ${code}: ${title}`

const MARKS = { passed: '✓', failed: '✗', 'not reached': '–' } as const
const INDENT = ' '.repeat(14)

function rowLines({ check, result, seen, wanted, reason, code, changes }: Row): string[] {
  const head = `${MARKS[result]} ${check.padEnd(12)}${seen ?? (result === 'not reached' ? 'not reached' : '')}`
  const lines = [head.trimEnd()]
  if (wanted) lines.push(`${INDENT}wanted: ${wanted}`)
  if (code !== undefined) lines.push(`${INDENT}${code}: ${printable(reason ?? '')}`)
  for (const { side, setting, how } of changes)
    lines.push(`${INDENT}→ ${side}: ${setting} (${how})`)
  return lines
}

function headerLines({ headers, verdict, dropped_items: dropped }: Report): string[] {
  if (headers === undefined) return []
  const total = headers.reduce((sum, { name, bytes }) => sum + name.length + bytes + 4, 0)
  const title = verdict === 'accepted' ? 'identity headers' : 'identity headers, were it accepted'
  return [
    '',
    `${title} (${total} bytes together):`,
    ...headers.map(({ name, value, bytes }) => `  ${name}: ${printable(value)}  (${bytes} bytes)`),
    ...(dropped === 0 ? [] : [`  left out, since they hold the separator: ${dropped} list items`]),
  ]
}
