import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Milliseconds } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { closeGently, connectionOf } from './connection.ts'
import { ConnectTimeoutError } from './connector.ts'
import type { ForwardRequest } from './forward.ts'
import { downstreamHeaders } from './headers.ts'
import type { Lease } from './upstream.ts'

export interface RelayOptions {
  readonly forward: ForwardRequest
  readonly lease: Lease
  /** Sends the request again; `undefined` when that is not allowed. */
  readonly resend: (() => void) | undefined
  /** Longest silence of a client that is sending a body; `undefined` without one. */
  readonly bodyIdleTimeout: Milliseconds | undefined
  readonly now: () => Milliseconds
}

const EMPTY = Buffer.alloc(0)

/** Moves one answer from the upstream to the client, with back-pressure, and ends both sides whatever happens. */
export function createRelay(options: RelayOptions): Dispatcher.DispatchHandler {
  const { forward, lease, now } = options
  const { request, response, exchange } = forward
  const started = now()
  const attempt = { onReusedConnection: false, answered: false }
  const ending = createEnding(options, attempt)

  return {
    onRequestStart() {
      attempt.onReusedConnection = lease.isReused()
    },
    // Called at the first byte of an answer, before its head is complete.
    onResponseStarted() {
      attempt.answered = true
    },
    onResponseStart(controller, status, _headers, statusText = '') {
      const lines = downstreamHeaders(latin1(controller.rawHeaders))
      if (status < 200) return writeInformational(forward, status, statusText, lines)
      exchange.upstreamDuration = now() - started
      exchange.status = status
      writeHead(forward, status, statusText, lines)
    },
    onResponseData(controller, chunk) {
      exchange.bytes += chunk.length
      if (ending.isOver() || response.write(chunk)) return
      controller.pause()
      response.once('drain', () => controller.resume())
    },
    onResponseEnd() {
      ending.finish()
      response.end()
      if (request.complete) lease.release()
      else lease.destroy()
    },
    onResponseError(_controller, error) {
      ending.fail(error)
    },
  } satisfies Dispatcher.DispatchHandler & { onResponseStarted(): void }
}

interface Attempt {
  readonly onReusedConnection: boolean
  readonly answered: boolean
}

/** The one end of a relay: the answer is complete, the client has gone, or something failed. */
function createEnding({ forward, lease, resend, bodyIdleTimeout }: RelayOptions, attempt: Attempt) {
  const { request, response, exchange } = forward
  let isOver = false

  const finish = () => {
    isOver = true
    stopWatching?.()
    response.off('close', clientGone)
  }
  const clientGone = () => {
    finish()
    exchange.aborted = true
    lease.destroy()
  }
  const fail = (error: unknown) => {
    if (isOver) return
    finish()
    lease.destroy()
    if (resend !== undefined && attempt.onReusedConnection && !attempt.answered) return resend()
    if (!response.headersSent) return forward.refuse(upstreamError(error))
    exchange.reason = 'upstream broke off'
    breakOff(request, response)
  }
  const stopWatching =
    bodyIdleTimeout === undefined ? undefined : watchBody(request, bodyIdleTimeout, fail)
  response.once('close', clientGone)
  return { isOver: () => isOver, finish, fail }
}

function writeHead(
  { request, response }: ForwardRequest,
  status: number,
  statusText: string,
  lines: string[],
): void {
  // The rest of the body may never come: this connection is not used for another request.
  if (!request.complete) {
    lines.push('Connection', 'close')
    if (response.socket !== null) {
      connectionOf(response.socket).finish()
      closeGently(response.socket)
    }
  }
  response.writeHead(status, statusText, lines)
  process.nextTick(flushHead, response)
}

/** An event stream shows its head before its first event. Not `flushHeaders`, which sends Latin-1 bytes as UTF-8. */
function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.write(EMPTY)
}

/** RFC 9110 §15.2: passed on as it came, but not to HTTP/1.0 clients. */
function writeInformational(
  { request, response }: ForwardRequest,
  status: number,
  text: string,
  lines: readonly string[],
): void {
  if (request.httpVersion === '1.0' || response.headersSent) return
  let head = `HTTP/1.1 ${status} ${text}\r\n`
  for (let i = 0; i < lines.length; i += 2) head += `${lines[i]}: ${lines[i + 1]}\r\n`
  response.socket?.write(`${head}\r\n`, 'latin1')
}

function latin1(rawHeaders: unknown): string[] {
  if (!Array.isArray(rawHeaders)) return []
  return rawHeaders.map((part: Buffer | string) =>
    typeof part === 'string' ? part : part.toString('latin1'),
  )
}

/** A broken answer must not look whole: without a frame around the body only a reset can tell (RFC 9112 §8). */
function breakOff(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersion === '1.0') response.socket?.resetAndDestroy()
  response.destroy()
}

/**
 * Ends a request whose client has stopped sending its body. A body that waits because the upstream reads slowly is not
 * the client's fault.
 */
function watchBody(
  request: IncomingMessage,
  limit: Milliseconds,
  fail: (error: unknown) => void,
): () => void {
  const { socket } = request
  let seen = socket.bytesRead
  const timer = setInterval(() => {
    if (request.complete || request.readableLength > 0 || socket.bytesRead !== seen) {
      seen = socket.bytesRead
      return
    }
    fail(new RejectedError('ERR_REQUEST_MALFORMED', { status: 408, reason: 'body stalled' }))
  }, limit)
  timer.unref()
  return () => clearInterval(timer)
}

function upstreamError(error: unknown): RejectedError {
  if (error instanceof RejectedError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  const isTimeout = error instanceof ConnectTimeoutError || code === 'UND_ERR_HEADERS_TIMEOUT'
  return new RejectedError(isTimeout ? 'ERR_UPSTREAM_TIMEOUT' : 'ERR_UPSTREAM_UNAVAILABLE', {
    reason: code ?? (error instanceof Error ? error.name : 'unknown'),
    cause: error,
  })
}
