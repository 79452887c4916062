import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Decision } from '../decision.ts'
import { RejectedError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { Answer } from '../pages/problem.ts'
import { statusAnswer } from '../pages/status.ts'
import { closeGently, connectionOf, writeAnswer } from './connection.ts'
import type { DataServerHandlers, Expectation } from './data-server.ts'
import type { Forward } from './forward.ts'
import { headOf, type RequestHead } from './gate.ts'
import {
  bodyFollows,
  headerValue,
  isWebSocketUpgrade,
  type RequestHeaderRules,
  upstreamHeaders,
} from './headers.ts'
import { createPatience } from './patience.ts'
import type { Recorder } from './recorder.ts'

interface Forwarding {
  readonly forward: Forward
  readonly headerRules: RequestHeaderRules
}

interface Answering {
  /** Instead of forwarding: what a request that may pass is answered with. */
  answerOf(decision: Decision): Answer
}

export type PassageOptions = { readonly recorder: Recorder } & (Forwarding | Answering)

export type RequestHandlers = Pick<
  DataServerHandlers,
  'begin' | 'decide' | 'forward' | 'showStatus' | 'refuse'
> & {
  /** From now on every answer is the last one of its connection. */
  drain(): void
}

/** One request on its way: what its steps hand on to each other. */
interface Passage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  readonly expectation: Expectation
  readonly exchange: Exchange
  decision: Decision | undefined
}

/** The steps of a plain request; what calls them, and in which order, is in data-server.ts. */
export function createRequestHandlers(options: PassageOptions): RequestHandlers {
  const { recorder } = options
  const passages = new WeakMap<IncomingMessage, Passage>()
  const underWay = new Set<ServerResponse>()
  const forwarding = new Set<Passage>()
  const patience = createPatience()
  let isDraining = false

  const passageOf = (request: IncomingMessage): Passage => {
    const passage = passages.get(request)
    if (passage === undefined) throw new Error('request without an exchange')
    return passage
  }
  const end = (passage: Passage) => {
    const { request, response, exchange } = passage
    underWay.delete(response)
    forwarding.delete(passage)
    patience.note(request.socket, exchange.decision)
    if (!response.writableFinished) exchange.aborted = true
    recorder.end(exchange)
  }
  return {
    begin(request, response, expectation) {
      const head = headOf(request)
      const exchange = recorder.begin(head)
      const passage = { request, response, head, expectation, exchange, decision: undefined }
      passages.set(request, passage)
      underWay.add(response)
      if (isDraining) makeLast(response)
      response.once('close', () => end(passage))
    },
    async decide(request) {
      const passage = passageOf(request)
      const pause = patience.pauseFor(request.socket, forwarding.size > 0)
      if (pause > 0) await wait(pause)
      passage.decision = await recorder.decide(passage.head, passage.exchange)
      // A genuine handshake comes here only when it was sent behind an unanswered request.
      if (!('answerOf' in options) && isWebSocketUpgrade(passage.head.rawHeaders)) {
        passage.exchange.decision = 'reject'
        throw new RejectedError('ERR_REQUEST_MALFORMED', { reason: 'handshake behind a request' })
      }
    },
    forward(request) {
      const passage = passageOf(request)
      if ('answerOf' in options) return answerDecided(passage, options.answerOf)
      if (!passage.response.destroyed) forwarding.add(passage)
      forwardDecided(passage, recorder, options)
    },
    showStatus: (request) => showStatus(passageOf(request), recorder),
    refuse: (request, error) => refuse(passageOf(request), error, recorder),
    drain() {
      isDraining = true
      for (const response of underWay) makeLast(response)
    },
  }
}

/** What waits behind it is answered first. An answer whose head was sent keeps what it said. */
function makeLast(response: ServerResponse): void {
  // The request forgets its socket when undici has given up on its body.
  const { socket } = response
  if (socket === null || response.headersSent || connectionOf(socket).hasWaiting()) return
  response.shouldKeepAlive = false
  connectionOf(socket).finish()
  closeGently(socket)
}

function forwardDecided(
  passage: Passage,
  recorder: Recorder,
  { forward, headerRules }: Forwarding,
): void {
  const { request, response, head, exchange } = passage
  if (response.destroyed) return
  const added = decisionOf(passage).lines
  const { lines, stripped } = upstreamHeaders(head.rawHeaders, headerRules, added)
  exchange.stripped = stripped
  if (passage.expectation === 'continue') response.writeContinue()
  forward({
    request,
    response,
    target: head.target,
    headers: lines,
    exchange,
    refuse: (error) => refuse(passage, error, recorder),
  })
}

function answerDecided(passage: Passage, answerOf: Answering['answerOf']): void {
  if (passage.response.destroyed) return
  const answer = answerOf(decisionOf(passage))
  passage.exchange.status = answer.status
  writeResponse(passage, answer)
}

/** Nothing goes on without a decision, whatever called the step. */
function decisionOf({ decision }: Passage): Decision {
  if (decision === undefined) throw new Error('request without a decision')
  return decision
}

function showStatus(passage: Passage, recorder: Recorder): void {
  const { head, exchange } = passage
  if (head.method !== 'GET' && head.method !== 'HEAD') {
    const refusal = { status: 405, reason: 'status path' }
    refuse(passage, new RejectedError('ERR_REQUEST_MALFORMED', refusal), recorder)
    return
  }
  exchange.status = 200
  const accept = headerValue(head.rawHeaders, 'accept')
  writeResponse(passage, statusAnswer(decisionOf(passage), { requestId: exchange.id, accept }))
}

function refuse(passage: Passage, error: unknown, recorder: Recorder): void {
  const { response, exchange, head } = passage
  const answer = recorder.answer(error, exchange, head.rawHeaders)
  if (response.headersSent || response.destroyed) response.destroy()
  else writeResponse(passage, answer)
}

function writeResponse({ request, response, head, exchange }: Passage, answer: Answer): void {
  const lines = [...answer.headers, 'Content-Length', String(answer.body.length)]
  const isUnread = bodyFollows(head.rawHeaders) && !request.complete
  // After a refused handshake a client may send frames; after malformed HTTP nobody knows what comes.
  const isMalformed = exchange.code === 'ERR_REQUEST_MALFORMED'
  const isLast = isUnread || isMalformed || isWebSocketUpgrade(head.rawHeaders)
  if (isLast) lines.push('Connection', 'close')
  // Some versions of Node go on with what is behind a last answer.
  if (isLast && response.socket !== null) connectionOf(response.socket).finish()
  if (isUnread && response.socket !== null) closeGently(response.socket)
  // The phrase of an upstream's answer that could not be sent may still be set.
  response.writeHead(answer.status, STATUS_CODES[answer.status] ?? 'Refused', lines)
  response.end(head.method === 'HEAD' ? undefined : answer.body)
}

/** Writes an answer where Node has given the socket away; the connection ends with it. */
export function writeRaw(socket: Socket, answer: Answer): void {
  writeAnswer(socket, answer, STATUS_CODES[answer.status] ?? 'Refused')
}
