import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bytes, Milliseconds } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { flushHead, writeHead, writeInformational } from './answer-head.ts'
import { type BodyCarrier, type BodyFraming, carryBody } from './body.ts'
import { ConnectTimeoutError } from './connector.ts'
import type { ForwardRequest } from './forward.ts'
import type { AnswerHead } from './parse-answer.ts'
import { createPieces } from './pieces.ts'
import type { Lease } from './upstream.ts'
import type { RequestReceiver } from './upstream-connection.ts'
import { faultName } from './upstream-fault.ts'

export interface RelayOptions {
  readonly forward: ForwardRequest
  readonly lease: Lease
  /** `undefined`: the request has no body. */
  readonly framing: BodyFraming | undefined
  /** Sends the request again; `undefined` when that is not allowed. */
  readonly resend: (() => void) | undefined
  /** Longest silence of a client that is sending a body. */
  readonly bodyIdleTimeout: Milliseconds
  readonly now: () => Milliseconds
}

/**
 * Moves one request's body up and its answer down, with back-pressure, and ends both sides whatever happens. It begins
 * when a connection is told to send the request.
 */
export class Relay implements RequestReceiver {
  readonly #options: RelayOptions
  readonly #started: Milliseconds
  readonly #isReused: boolean
  #body: BodyCarrier | undefined
  #stopWatching: (() => void) | undefined
  /** The head of the answer waits for what comes with it. */
  #holdsHead = false
  /** The client takes no more of the answer for now. */
  #isHeldBack = false

  constructor(options: RelayOptions) {
    const { forward, framing, bodyIdleTimeout } = options
    this.#options = options
    this.#started = options.now()
    this.#isReused = options.lease.connection.isReused()
    forward.whenEnded(() => this.#abandon())
    if (framing === undefined) return
    const fail = (error: unknown) => this.onFailure(error)
    this.#stopWatching = watchBody(forward.request, bodyIdleTimeout, fail)
  }

  onSent(): void {
    const { forward, lease, framing } = this.#options
    if (framing !== undefined) this.#body = carryBody(forward.request, lease.connection, framing)
  }

  onDrain(): void {
    this.#body?.goOn()
  }

  onHead(head: AnswerHead): void {
    const { forward, now } = this.#options
    if (head.status < 200) {
      writeInformational(forward, head)
      return
    }
    forward.exchange.upstreamDuration = now() - this.#started
    forward.exchange.status = head.status
    writeHead(forward, head)
    this.#holdsHead = true
  }

  onData(data: Buffer): void {
    const { forward, lease } = this.#options
    forward.exchange.bytes += data.length
    this.#holdsHead = false
    // It may have to wait for the client, and its bytes are there only until this returns.
    const { bytes, giveBack } = copy(data)
    if (forward.response.write(bytes, giveBack) || this.#isHeldBack) return
    this.#isHeldBack = true
    lease.connection.pause()
    forward.response.once('drain', () => this.#readOn())
  }

  onPause(): void {
    // An event stream shows its head before its first event.
    if (this.#holdsHead) flushHead(this.#options.forward.response)
    this.#holdsHead = false
  }

  onEnd(last: Buffer): void {
    const { forward, lease, framing } = this.#options
    const { response, exchange } = forward
    exchange.bytes += last.length
    this.#finish()
    // An ended response tells of no drain any more, and the next request needs its answer read.
    if (this.#isHeldBack) this.#readOn()
    // What is left of a body would be the beginning of the next request.
    if (framing === undefined || this.#body?.isWhole()) lease.release()
    else lease.connection.destroy()
    // A small body goes out with its head as one text: copying it costs less than a second piece to write.
    if (this.#holdsHead && last.length <= COPIED_BODY)
      response.end(last.toString('latin1'), 'latin1')
    else response.end(Buffer.from(last))
  }

  onFailure(error: unknown): void {
    const { forward, lease, resend } = this.#options
    const { request, response, exchange } = forward
    this.#finish()
    lease.connection.destroy()
    const isUnheard = this.#isReused && !lease.connection.hasHeard()
    if (resend !== undefined && isUnheard && isDeath(error)) resend()
    else if (!response.headersSent) forward.refuse(upstreamError(error))
    else {
      exchange.reason = 'upstream broke off'
      breakOff(request, response)
    }
  }

  #readOn(): void {
    this.#isHeldBack = false
    this.#options.lease.connection.resume()
  }

  #abandon(): void {
    const { forward, lease } = this.#options
    this.#finish()
    forward.exchange.aborted = true
    lease.connection.destroy()
  }

  #finish(): void {
    this.#stopWatching?.()
    this.#body?.stop()
    this.#options.forward.whenEnded(undefined)
  }
}

/** For all answers: what one gives back serves the next. */
const copy = createPieces()

const COPIED_BODY: Bytes = 16 * 1024

/** How a connection ends that the other side has given up. An app that is merely slow has the request already. */
const DEATHS: ReadonlySet<string> = new Set(['UPSTREAM_CLOSED', 'ECONNRESET', 'EPIPE'])

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
  const isTimeout = error instanceof ConnectTimeoutError || reason === 'UPSTREAM_SILENT'
  return new RejectedError(isTimeout ? 'ERR_UPSTREAM_TIMEOUT' : 'ERR_UPSTREAM_UNAVAILABLE', {
    reason,
    cause: error,
  })
}
