import { on } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Config, Milliseconds } from '../config/config.ts'
import type { RejectedError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { bodyFollows, type HeaderLines, headerValue } from './headers.ts'
import type { RequestBytes } from './own-head.ts'
import { createRelay } from './relay.ts'
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
    const bytes = bytesOf(forward)
    const hasBody = bodyFollows(forward.request.rawHeaders)
    const canResend = !hasBody && IDEMPOTENT.has(forward.request.method ?? '')
    const bodyIdleTimeout = hasBody ? config.bodyIdleTimeout : undefined
    const send = (lease: Lease, resend: (() => void) | undefined) =>
      dispatch(lease, forward, {
        hasBody,
        handler: createRelay({ forward, bytes, lease, resend, bodyIdleTimeout, now }),
      })
    const again = () => send(pool.lease(0), undefined)
    send(pool.lease(canResend ? Number.POSITIVE_INFINITY : FRESH), canResend ? again : undefined)
  }
}

function dispatch(
  lease: Lease,
  { request, target, headers }: ForwardRequest,
  { hasBody, handler }: { hasBody: boolean; handler: Dispatcher.DispatchHandler },
): void {
  lease.client.dispatch(
    {
      path: target,
      method: request.method as Dispatcher.HttpMethod,
      headers: forUndici(headers),
      body: hasBody ? (bodyOf(request) as IncomingMessage) : null,
      // undici would close the connection after each HEAD.
      reset: false,
    },
    handler,
  )
}

function bytesOf({ request, target, headers }: ForwardRequest): RequestBytes {
  const isChunked = headerValue(headers, 'transfer-encoding') !== undefined
  const hasLength = headerValue(headers, 'content-length') !== undefined
  const framing = isChunked ? 'chunked' : hasLength ? 'length' : 'none'
  return { method: request.method ?? '', target, lines: headers, framing }
}

/** All that undici needs to know to count the body; the head that goes out is ours (own-head.ts). */
function forUndici(headers: HeaderLines): string[] {
  const length = headerValue(headers, 'content-length')
  return ['host', 'upstream', ...(length === undefined ? [] : ['content-length', length])]
}

/**
 * undici would give a chunked body that has arrived whole a length, unless it cannot see that it is a stream. Giving up on
 * it must not destroy the client's connection, which waits for an answer.
 */
function bodyOf(request: IncomingMessage): IncomingMessage | AsyncIterable<Buffer> {
  if (headerValue(request.rawHeaders, 'transfer-encoding') === undefined) return request
  return { [Symbol.asyncIterator]: () => chunksOf(request) }
}

/** Pieces that wait for the upstream; with more of them the client is no longer read. */
const WAITING_PIECES = { highWaterMark: 16, lowWaterMark: 4 }

/**
 * The chunks as they came: a stream that is iterated puts together what has arrived, on some versions of Node. A body that
 * breaks off throws, and so never looks whole.
 */
async function* chunksOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  for await (const [chunk] of on(request, 'data', { close: ['end'], ...WAITING_PIECES }))
    yield chunk
}
