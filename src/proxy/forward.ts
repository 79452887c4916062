import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Config, Milliseconds } from '../config/config.ts'
import type { RejectedError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { BodyFraming } from './body.ts'
import { bodyFollows, type HeaderLines, headerValue } from './headers.ts'
import { Relay } from './relay.ts'
import type { Lease, UpstreamPool } from './upstream.ts'

export interface ForwardRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The request target as the client sent it. */
  readonly target: string
  /** For the upstream, Host and the framing included. */
  readonly headers: HeaderLines
  readonly exchange: Exchange
  /** Answers in the upstream's place; called at most once, and only while nothing was answered. */
  readonly refuse: (error: RejectedError) => void
  /** Who is told when the response is complete or its client has gone, in place of whom it was before. */
  readonly whenEnded: (then: (() => void) | undefined) => void
}

/** Sends one decided request to the upstream and its answer to the client. */
export type Forward = (forward: ForwardRequest) => void

export interface ForwardOptions {
  readonly pool: UpstreamPool
  readonly config: Pick<Config, 'bodyIdleTimeout'>
  /** Monotonic. */
  readonly now: () => Milliseconds
}

/** RFC 9110 §9.2.2 and the registry of methods: sending one of these twice does the same as once. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'],
])

/** A request that must not be sent twice does not use a connection that has been idle for longer. */
const FRESH: Milliseconds = 1_000

/**
 * One request is sent once, with one exception: a bodyless idempotent one whose re-used connection died before any
 * answer is sent again, once, on a new connection (RFC 9110 §9.2.2).
 */
export function createForward({ pool, config, now }: ForwardOptions): Forward {
  return (forward) => {
    const { request } = forward
    const framing = framingOf(request.rawHeaders)
    const method = request.method ?? ''
    const head = { method, text: headText(method, forward), hasBody: framing !== undefined }
    const { bodyIdleTimeout } = config
    const send = (lease: Lease, resend: (() => void) | undefined) =>
      lease.connection.send(
        head,
        new Relay({ forward, lease, framing, resend, bodyIdleTimeout, now }),
      )
    const canResend = framing === undefined && IDEMPOTENT.has(method)
    if (canResend) send(pool.lease(Number.POSITIVE_INFINITY), () => send(pool.lease(0), undefined))
    else send(pool.lease(FRESH), undefined)
  }
}

function framingOf(rawHeaders: HeaderLines): BodyFraming | undefined {
  if (!bodyFollows(rawHeaders)) return undefined
  return headerValue(rawHeaders, 'transfer-encoding') === undefined ? 'length' : 'chunked'
}

/** The fields in their order and spelling, those of the framing included: nothing is added, not even a length. */
function headText(method: string, { target, headers }: ForwardRequest): string {
  let text = `${method} ${target} HTTP/1.1\r\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}
