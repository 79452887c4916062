import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Milliseconds } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { answerFault, writeHead, writeInformational } from './answer-head.ts'
import { ConnectTimeoutError } from './connector.ts'
import type { ForwardRequest } from './forward.ts'
import type { RequestBytes } from './own-head.ts'
import type { Lease } from './upstream.ts'

export interface RelayOptions {
  readonly forward: ForwardRequest
  readonly bytes: RequestBytes
  readonly lease: Lease
  /** Sends the request again; `undefined` when that is not allowed. */
  readonly resend: (() => void) | undefined
  /** Longest silence of a client that is sending a body; `undefined` without one. */
  readonly bodyIdleTimeout: Milliseconds | undefined
  readonly now: () => Milliseconds
}

/** Moves one answer from the upstream to the client, with back-pressure, and ends both sides whatever happens. */
export function createRelay(options: RelayOptions): Dispatcher.DispatchHandler {
  const { forward, bytes, lease, now } = options
  const { request, response, exchange } = forward
  const started = now()
  const attempt = { onReusedConnection: false, answered: false }
  const ending = createEnding(options, attempt)

  return {
    onRequestStart() {
      attempt.onReusedConnection = lease.isReused()
      lease.begin(bytes)
    },
    // Called at the first byte of an answer, before its head is complete.
    onResponseStarted() {
      attempt.answered = true
    },
    onResponseStart(controller, status, headers, statusText = '') {
      const fault = answerFault(status, headers['transfer-encoding'])
      if (fault !== undefined) throw fault
      const head = { status, statusText, rawHeaders: controller.rawHeaders }
      if (status < 200) return writeInformational(forward, head)
      exchange.upstreamDuration = now() - started
      exchange.status = status
      writeHead(forward, head)
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
    const isUnanswered = !attempt.answered && !lease.hasHeard()
    if (resend !== undefined && attempt.onReusedConnection && isUnanswered && isDeath(error))
      return resend()
    if (!response.headersSent) return forward.refuse(upstreamError(error))
    exchange.reason = 'upstream broke off'
    breakOff(request, response)
  }
  const stopWatching =
    bodyIdleTimeout === undefined ? undefined : watchBody(request, bodyIdleTimeout, fail)
  response.once('close', clientGone)
  return { isOver: () => isOver, finish, fail }
}

/** How a connection ends that the other side has given up. An app that is merely slow has the request already. */
const DEATHS: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

const isDeath = (error: unknown): boolean => DEATHS.has(faultName(error))

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
  const reason = faultName(error)
  const isTimeout = error instanceof ConnectTimeoutError || reason === 'UND_ERR_HEADERS_TIMEOUT'
  return new RejectedError(isTimeout ? 'ERR_UPSTREAM_TIMEOUT' : 'ERR_UPSTREAM_UNAVAILABLE', {
    reason,
    cause: error,
  })
}

/** For the log: the code or name of a fault, never its message. */
export function faultName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
