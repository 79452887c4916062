import { CODES, type Code } from '../errors.ts'
import { adviseOnLog, type Change } from '../explain/advice.ts'
import { printable } from '../explain/words.ts'
import type { Counted } from './counter.ts'
import type { Tally } from './tally.ts'

interface CodeSummary {
  readonly code: Code
  readonly title: string
  readonly would_refuse: number
  readonly refused: number
  /** At most one for each side. */
  readonly changes: readonly Change[]
  readonly reasons: readonly Counted[]
  readonly requests: readonly Counted[]
  /** Requests of this code that the list leaves out. */
  readonly other_requests: number
}

/** What `claimgate report --json` writes. */
export interface Summary {
  readonly since: string | undefined
  readonly until: string | undefined
  readonly requests: number
  readonly would_refuse: number
  readonly refused: number
  readonly other_lines: number
  readonly codes: readonly CodeSummary[]
}

const SHOWN_REQUESTS = 10
const SHOWN_REASONS = 5

export function summarize(tally: Tally): Summary {
  const codes = tally.codes().map(({ code, wouldRefuse, refused, requests, reasons }) => ({
    code,
    title: CODES[code].title,
    would_refuse: wouldRefuse,
    refused,
    changes: adviseOnLog(code),
    reasons: reasons.top(SHOWN_REASONS),
    requests: requests.top(SHOWN_REQUESTS),
    other_requests: requests.beyond(SHOWN_REQUESTS),
  }))
  const sum = (name: 'would_refuse' | 'refused') =>
    codes.reduce((total, code) => total + code[name], 0)
  const { since, until, requests, otherLines } = tally.totals
  return {
    since,
    until,
    requests,
    would_refuse: sum('would_refuse'),
    refused: sum('refused'),
    other_lines: otherLines,
    codes,
  }
}

/** For a terminal; nothing that a client sent can move its cursor. */
export function summaryText(summary: Summary): string {
  const { since, until, requests, other_lines: others } = summary
  const when = since === undefined ? '' : `, ${printable(since)} to ${printable(until ?? '')}`
  const lines = [
    `${requests} requests${when}${others > 0 ? ` (and ${others} other lines)` : ''}`,
    `${summary.would_refuse} would be refused, ${summary.refused} were answered by claimgate`,
    ...summary.codes.flatMap(codeLines),
  ]
  if (requests === 0)
    lines.push('', 'no line of a request: wanted is the JSON log, with log_level info')
  else if (summary.codes.length === 0) lines.push('', 'nothing is in the way of enforcing')
  return `${lines.join('\n')}\n`
}

function codeLines(code: CodeSummary): string[] {
  return [
    '',
    `${code.code}: ${code.title}`,
    `  ${code.would_refuse} would be refused, ${code.refused} answered`,
    ...code.changes.map(({ side, setting, how }) => `  → ${side}: ${setting} (${how})`),
    ...code.reasons.map(({ text, count }) => `  reason  ${countCell(count)}  ${printable(text)}`),
    ...code.requests.map(({ text, count }) => `  request ${countCell(count)}  ${printable(text)}`),
    ...(code.other_requests > 0 ? [`  request ${countCell(code.other_requests)}  (others)`] : []),
  ]
}

const countCell = (count: number): string => String(count).padStart(7)
