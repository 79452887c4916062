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
  /** Of the client's `traceparent`; `undefined` when there is none, or no good one. */
  readonly traceId: string | undefined
  /** The whole of it, as sent. */
  readonly traceParent: string | undefined
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

/** All of them as one, in their order. */
export const joinObservers = (...observers: readonly ExchangeObserver[]): ExchangeObserver => ({
  begin() {
    for (const observer of observers) observer.begin()
  },
  end(exchange, duration) {
    for (const observer of observers) observer.end(exchange, duration)
  },
})

const PATH_LIMIT = 2048

/** What an exchange begins with; bytes that are no HTTP have no header fields. */
export type Opening = Pick<RequestHead, 'method' | 'target'> &
  Partial<Pick<RequestHead, 'rawHeaders'>>

/** An exchange is a refusal until the decision says otherwise. */
export function createExchange(head: Opening, now: Milliseconds): Exchange {
  const traceParent = goodTraceParent(head.rawHeaders ?? [])
  return {
    id: randomUUID(),
    method: head.method,
    path: pathOf(head.target).slice(0, PATH_LIMIT),
    started: now,
    traceId: traceParent?.slice(3, 35),
    traceParent,
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

const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/
const TRACE_PARENT_LIMIT = 512
const isNothing = (id: string): boolean => /^0+$/.test(id)

/** `traceparent`, when it is a good one by W3C Trace Context. */
function goodTraceParent(rawHeaders: readonly string[]): string | undefined {
  const value = onlyTraceParent(rawHeaders) ?? ''
  if (value.length > TRACE_PARENT_LIMIT) return undefined
  const [, version, trace = '', parent = '', more] = TRACE_PARENT.exec(value) ?? []
  // Only versions to come may say more than version 00 does.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  return version === undefined || isNothing(trace) || isNothing(parent) ? undefined : value
}

/** Two of them name no trace. */
function onlyTraceParent(rawHeaders: readonly string[]): string | undefined {
  let only: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    // The length first: this looks at every field of every request.
    if (name?.length !== 11 || name.toLowerCase() !== 'traceparent') continue
    if (only !== undefined) return undefined
    only = rawHeaders[i + 1] ?? ''
  }
  return only
}

/** What the line of a request says of the user: `email` only where `log_email` is on. */
export type LoggedUser = 'with-email' | 'without-email'

/** The one log line of an exchange. Holds no query, token, cookie or header. */
export function logExchange(
  log: Pick<Log, 'infoJson'>,
  exchange: Exchange,
  duration: Milliseconds,
  user: LoggedUser = 'with-email',
): void {
  log.infoJson(fieldsOf(exchange, duration, user), 'request')
}

/** What is `undefined` is left out. Put together by hand: this is written for every request. */
function fieldsOf(exchange: Exchange, duration: Milliseconds, user: LoggedUser): string {
  const { verified, wouldRefuse, upstreamDuration } = exchange
  const claims = verified?.claims
  return (
    `"request_id":"${exchange.id}"` +
    word('trace_id', exchange.traceId) +
    text('method', exchange.method) +
    text('path', exchange.path) +
    number('status', exchange.status) +
    word('decision', exchange.decision) +
    word('code', exchange.code) +
    text('reason', exchange.reason) +
    word('would_refuse', wouldRefuse?.code) +
    text('would_refuse_reason', wouldRefuse?.reason) +
    text('sub', loggable(claims?.['sub'])) +
    text('email', user === 'with-email' ? loggable(claims?.['email']) : undefined) +
    text('jti', loggable(claims?.['jti'])) +
    text('kid', loggable(verified?.kid)) +
    number('duration_ms', round(duration)) +
    number('upstream_ms', upstreamDuration === undefined ? undefined : round(upstreamDuration)) +
    number('bytes', exchange.bytes) +
    (exchange.aborted ? ',"aborted":true' : '')
  )
}

const text = (name: string, value: string | undefined): string =>
  value === undefined ? '' : `,"${name}":${quoted(value)}`

/** As {@link text}, for what is known to need nothing but its quotes. */
const word = (name: string, value: string | undefined): string =>
  value === undefined ? '' : `,"${name}":"${value}"`

const number = (name: string, value: number | undefined): string =>
  value === undefined ? '' : `,"${name}":${value}`

/** Most texts need nothing but their quotes. */
const quoted = (value: string): string =>
  PLAIN_JSON.test(value) ? `"${value}"` : JSON.stringify(value)

/** Printable ASCII without quotation mark and backslash. */
const PLAIN_JSON = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

const TEXT_LIMIT = 256

/**
 * Names as they are, but what a terminal or a reader of lines may take for more than text is written out, as `\\u0085`:
 * also a claim that was refused for it is named. Anything else that a claim may hold has no place in a line.
 */
export function loggable(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.slice(0, TEXT_LIMIT)
  return PLAIN.test(text) ? text : text.replace(UNSEEN, written)
}

const PLAIN = /^[\x20-\x7e]*$/
/** Control and format characters, separators of lines and paragraphs, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const written = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`

const round = (duration: Milliseconds): Milliseconds => Math.round(duration * 100) / 100
