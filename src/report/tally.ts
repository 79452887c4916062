import { CODES, type Code } from '../errors.ts'
import { type Counter, createCounter } from './counter.ts'

/** What the log says of one code. */
export interface CodeTally {
  readonly code: Code
  /** Forwarded under `report_only`. */
  wouldRefuse: number
  /** Answered by claimgate. */
  refused: number
  /** `METHOD path`. */
  readonly requests: Counter
  readonly reasons: Counter
}

export interface Tally {
  /** Any line; one that is not about a request only counts. */
  add(line: string): void
  readonly totals: {
    requests: number
    otherLines: number
    /** ISO 8601, of the first and the last request; `undefined` without any. */
    since: string | undefined
    until: string | undefined
  }
  /** The most frequent first. */
  codes(): readonly CodeTally[]
}

/** Sums up the lines of requests; its memory is bounded, however long the log is. */
export function createTally(): Tally {
  const codes = new Map<Code, CodeTally>()
  const totals: Tally['totals'] = {
    requests: 0,
    otherLines: 0,
    since: undefined,
    until: undefined,
  }
  const tallyOf = (code: Code): CodeTally => {
    const tally = codes.get(code) ?? {
      code,
      wouldRefuse: 0,
      refused: 0,
      requests: createCounter(),
      reasons: createCounter(),
    }
    codes.set(code, tally)
    return tally
  }
  const note = (tally: CodeTally, fields: Fields, reason: unknown) => {
    tally.requests.add(`${textOf(fields['method'])} ${textOf(fields['path'])}`)
    if (typeof reason === 'string') tally.reasons.add(reason)
  }
  return {
    totals,
    add(line) {
      const fields = readFields(line)
      if (fields?.['msg'] !== 'request') {
        if (line.trim() !== '') totals.otherLines++
        return
      }
      totals.requests++
      if (typeof fields['time'] === 'string') {
        totals.since ??= fields['time'].slice(0, 40)
        totals.until = fields['time'].slice(0, 40)
      }
      const { would_refuse: reported, code } = fields
      if (isCode(reported)) {
        const tally = tallyOf(reported)
        tally.wouldRefuse++
        note(tally, fields, fields['would_refuse_reason'])
      }
      if (isCode(code)) {
        const tally = tallyOf(code)
        tally.refused++
        note(tally, fields, fields['reason'])
      }
    },
    codes: () =>
      [...codes.values()].sort((a, b) => b.wouldRefuse + b.refused - (a.wouldRefuse + a.refused)),
  }
}

type Fields = Readonly<Record<string, unknown>>

/** The object of a line, also behind what Docker or Kubernetes writes in front of it. */
function readFields(line: string): Fields | undefined {
  const start = line.indexOf('{')
  if (start === -1) return undefined
  try {
    return JSON.parse(line.slice(start)) as Fields
  } catch {
    return undefined
  }
}

const isCode = (value: unknown): value is Code =>
  typeof value === 'string' && Object.hasOwn(CODES, value)

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '-')
