import type { AuditField, Milliseconds } from '../config/config.ts'
import { type Exchange, loggable } from '../exchange.ts'

/** Groups beyond are left out: a user may be in thousands. */
const MAX_GROUPS = 100

/** What each field says. None is made of a query, a header or a body; `undefined` leaves the field out. */
const READERS: Readonly<Record<AuditField, (exchange: Exchange) => unknown>> = {
  request_id: ({ id }) => id,
  decision: ({ decision }) => decision,
  code: ({ code }) => code,
  would_refuse: ({ wouldRefuse }) => wouldRefuse?.code,
  status: ({ status }) => status,
  method: ({ method }) => method,
  path: ({ path }) => path,
  sub: ({ verified }) => loggable(verified?.claims['sub']),
  email: ({ verified }) => loggable(verified?.claims['email']),
  groups: ({ verified }) => groupsOf(verified?.claims['groups']),
  jti: ({ verified }) => loggable(verified?.claims['jti']),
  kid: ({ verified }) => loggable(verified?.kid),
  trace_id: ({ traceId }) => traceId,
}

function groupsOf(claim: unknown): readonly string[] | undefined {
  const groups = Array.isArray(claim) ? claim : [claim]
  const names = groups.map(loggable).filter((name) => name !== undefined)
  return names.length === 0 ? undefined : names.slice(0, MAX_GROUPS)
}

/** Makes one JSON line, its newline included. `time` is when the request came. */
export type AuditLine = (exchange: Exchange, duration: Milliseconds) => string

/** The fields come in the order of the table, whatever the order of `chosen`. `now` is the wall clock. */
export function createAuditLine(chosen: readonly AuditField[], now: () => Milliseconds): AuditLine {
  const readers = Object.entries(READERS).filter(([name]) => chosen.some((each) => each === name))
  return (exchange, duration) => {
    const line: Record<string, unknown> = {
      audit: 'request',
      time: new Date(now() - duration).toISOString(),
    }
    for (const [name, read] of readers) line[name] = read(exchange)
    return `${JSON.stringify(line)}\n`
  }
}
