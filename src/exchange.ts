import { randomUUID } from 'node:crypto'
import type { Verified } from './assertion/verify.ts'
import type { Milliseconds } from './config/config.ts'
import type { Code } from './errors.ts'
import type { Log } from './log.ts'
import type { RequestHead } from './proxy/gate.ts'
import { pathOf } from './proxy/gate.ts'

/** What is known of one request, from its head to its end; the log line and the metrics are made of it. */
export interface Exchange {
  readonly id: string
  readonly method: string
  /** The path as sent, without the query, cut to 2 KiB. */
  readonly path: string
  readonly started: Milliseconds
  decision: 'forward' | 'reject'
  status: number | undefined
  code: Code | undefined
  /** For the log: which check failed. */
  reason: string | undefined
  /** Under `report_only`: what a forwarded request would have been refused with. */
  wouldRefuse: { readonly code: Code; readonly reason: string | undefined } | undefined
  verified: Verified | undefined
  verifyDuration: Milliseconds | undefined
  stripped: number
  dropped: number
  /** Until the upstream's answer began. */
  upstreamDuration: Milliseconds | undefined
  /** Body bytes sent to the client; for a tunnel, of both directions. */
  bytes: number
  /** The client went away before its answer was complete. */
  aborted: boolean
}

export interface ExchangeObserver {
  begin(): void
  /** Called once at the end of every exchange. */
  end(exchange: Exchange, duration: Milliseconds): void
}

const PATH_LIMIT = 2048

/** An exchange is a refusal until the decision says otherwise. */
export function createExchange(
  head: Pick<RequestHead, 'method' | 'target'>,
  now: Milliseconds,
): Exchange {
  return {
    id: randomUUID(),
    method: head.method,
    path: pathOf(head.target).slice(0, PATH_LIMIT),
    started: now,
    decision: 'reject',
    status: undefined,
    code: undefined,
    reason: undefined,
    wouldRefuse: undefined,
    verified: undefined,
    verifyDuration: undefined,
    stripped: 0,
    dropped: 0,
    upstreamDuration: undefined,
    bytes: 0,
    aborted: false,
  }
}

/** What the line of a request says of the user: `email` only where `log_email` is on. */
export type LoggedUser = 'with-email' | 'without-email'

/** The one log line of an exchange. Holds no query, token, cookie or header. */
export function logExchange(
  log: Log,
  exchange: Exchange,
  duration: Milliseconds,
  user: LoggedUser = 'with-email',
): void {
  const { verified, wouldRefuse } = exchange
  log.info(
    {
      request_id: exchange.id,
      method: exchange.method,
      path: exchange.path,
      status: exchange.status,
      decision: exchange.decision,
      code: exchange.code,
      reason: exchange.reason,
      would_refuse: wouldRefuse?.code,
      would_refuse_reason: wouldRefuse?.reason,
      sub: loggable(verified?.claims['sub']),
      email: user === 'with-email' ? loggable(verified?.claims['email']) : undefined,
      jti: loggable(verified?.claims['jti']),
      kid: loggable(verified?.kid),
      duration_ms: round(duration),
      upstream_ms:
        exchange.upstreamDuration === undefined ? undefined : round(exchange.upstreamDuration),
      bytes: exchange.bytes,
      aborted: exchange.aborted ? true : undefined,
    },
    'request',
  )
}

const TEXT_LIMIT = 256

/** Names as they are; anything else that a claim may hold has no place in a line. */
function loggable(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, TEXT_LIMIT) : undefined
}

const round = (duration: Milliseconds): Milliseconds => Math.round(duration * 100) / 100
