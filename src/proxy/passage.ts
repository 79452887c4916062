import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Decision } from '../decision.ts'
import { RejectedError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { statusAnswer } from '../pages/status.ts'
import { closeGently, connectionOf } from './connection.ts'
import type { DataServerHandlers, Expectation } from './data-server.ts'
import { headOf, type RequestHead } from './gate.ts'
import type { Generation } from './generation.ts'
import { isWebSocketUpgrade, listedValue, upstreamHeaders } from './headers.ts'
import { writeResponse } from './own-answer.ts'
import { malformed } from './parser-fault.ts'
import { createPatience } from './patience.ts'
import { createRoster } from './roster.ts'

export interface PassageOptions {
  /** What the next request begins with. */
  readonly current: () => Pick<Generation, 'recorder' | 'forward' | 'headerRules' | 'answerOf'>
}

export type RequestHandlers = Pick<
  DataServerHandlers,
  'begin' | 'decide' | 'forward' | 'showStatus' | 'refuse' | 'end' | 'breakOff'
> & {
  /** From now on every answer is the last one of its connection. */
  drain(): void
}

/** One request on its way: what its steps hand on to each other. */
interface Passage {
  readonly generation: ReturnType<PassageOptions['current']>
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  readonly expectation: Expectation
  readonly exchange: Exchange
  decision: Decision | undefined
  /** It has been handed on towards the upstream. */
  isForwarding: boolean
  /** It was answered before its decision, and whatever that will be. */
  isOver: boolean
  readonly leave: () => void
  /** Told of its end: whoever answers it for the upstream. */
  onEnd: (() => void) | undefined
}

/** On the request itself: a map with weak keys costs each collection a look at all of them. */
const PASSAGE = Symbol('passage')

type Carrier = IncomingMessage & { [PASSAGE]?: Passage }

function carry(request: Carrier, passage: Passage): void {
  request[PASSAGE] = passage
}

/** The steps of a plain request; what calls them, and in which order, is in data-server.ts. */
export function createRequestHandlers({ current }: PassageOptions): RequestHandlers {
  const underWay = createRoster<ServerResponse>()
  let forwarding = 0
  const patience = createPatience()
  let isDraining = false

  const passageOf = (request: Carrier): Passage => {
    const passage = request[PASSAGE]
    if (passage === undefined) throw new Error('request without an exchange')
    return passage
  }
  return {
    begin(request, response, expectation) {
      const leave = underWay.add(response)
      carry(request, begin(current(), { request, response, expectation, leave }))
      if (isDraining) makeLast(response)
    },
    async decide(request) {
      const passage = passageOf(request)
      const pause = patience.pauseFor(request.socket, forwarding > 0)
      if (pause > 0) await wait(pause)
      const { generation, head, exchange } = passage
      take(passage, await generation.recorder.decide(head, exchange))
    },
    forward(request) {
      const passage = passageOf(request)
      if (passage.response.destroyed) return
      if (passage.generation.answerOf !== undefined) return answerDecided(passage)
      passage.isForwarding = true
      forwarding++
      forwardDecided(passage)
    },
    showStatus: (request) => showStatus(passageOf(request)),
    refuse: (request, error) => refuseUnlessOver(passageOf(request), error),
    end(request) {
      const passage = passageOf(request)
      const { response, exchange, generation, leave, onEnd } = passage
      leave()
      if (passage.isForwarding) forwarding--
      patience.note(request.socket, exchange.decision)
      if (!response.writableFinished) exchange.aborted = true
      generation.recorder.end(exchange)
      onEnd?.()
    },
    breakOff(request, error) {
      const passage = passageOf(request)
      return !passage.isForwarding && refuseEarly(passage, malformed(error))
    },
    drain() {
      isDraining = true
      for (const response of underWay) makeLast(response)
    },
  }
}

function begin(
  generation: Passage['generation'],
  given: Pick<Passage, 'request' | 'response' | 'expectation' | 'leave'>,
): Passage {
  const { request, response, expectation, leave } = given
  const head = headOf(request)
  const exchange = generation.recorder.begin(head)
  return {
    generation,
    request,
    response,
    head,
    expectation,
    exchange,
    decision: undefined,
    isForwarding: false,
    isOver: false,
    leave,
    onEnd: undefined,
  }
}

/** Throws where the request may not go on despite its decision. */
function take(passage: Passage, decision: Decision): void {
  const { generation, head, exchange } = passage
  passage.decision = decision
  if (passage.isOver) {
    exchange.decision = 'reject'
    throw new Error('answered before its decision')
  }
  // A genuine handshake comes here only when it cannot have a tunnel.
  if (generation.answerOf === undefined && isWebSocketUpgrade(head.rawHeaders)) {
    exchange.decision = 'reject'
    const reason = 'handshake behind a request or to the status path'
    throw new RejectedError('ERR_REQUEST_MALFORMED', { reason })
  }
}

/** Whatever will be decided: nothing of the request is forwarded any more. Says whether there was still room for it. */
function refuseEarly(passage: Passage, error: RejectedError): boolean {
  if (passage.response.headersSent || passage.isOver) return false
  passage.isOver = true
  refuse(passage, error)
  return true
}

function refuseUnlessOver(passage: Passage, error: unknown): void {
  if (!passage.isOver) refuse(passage, error)
}

/** What waits behind it is answered first. An answer whose head was sent keeps what it said. */
function makeLast(response: ServerResponse): void {
  // The request forgets its socket when its body was given up.
  const { socket } = response
  if (socket === null || response.headersSent || connectionOf(socket).hasWaiting()) return
  response.shouldKeepAlive = false
  connectionOf(socket).finish()
  closeGently(socket)
}

function forwardDecided(passage: Passage): void {
  const { generation, request, response, head, exchange } = passage
  const added = decisionOf(passage).lines
  const { lines, stripped } = upstreamHeaders(head.rawHeaders, generation.headerRules, added)
  exchange.stripped = stripped
  if (passage.expectation === 'continue') response.writeContinue()
  generation.forward({
    request,
    response,
    target: head.target,
    headers: lines,
    exchange,
    refuse: (error) => refuse(passage, error),
    whenEnded(then) {
      passage.onEnd = then
    },
  })
}

function answerDecided(passage: Passage): void {
  const { answerOf } = passage.generation
  if (answerOf === undefined) return
  const answer = answerOf(decisionOf(passage))
  passage.exchange.status = answer.status
  writeResponse(passage, answer)
}

/** Nothing goes on without a decision, whatever called the step. */
function decisionOf({ decision }: Passage): Decision {
  if (decision === undefined) throw new Error('request without a decision')
  return decision
}

function showStatus(passage: Passage): void {
  const { head, exchange } = passage
  if (head.method !== 'GET' && head.method !== 'HEAD') {
    const refusal = { status: 405, reason: 'status path', allow: 'GET, HEAD' }
    exchange.decision = 'reject'
    refuse(passage, new RejectedError('ERR_REQUEST_MALFORMED', refusal))
    return
  }
  exchange.status = 200
  const accept = listedValue(head.rawHeaders, 'accept')
  writeResponse(passage, statusAnswer(decisionOf(passage), { requestId: exchange.id, accept }))
}

function refuse(passage: Passage, error: unknown): void {
  const { generation, response, exchange, head } = passage
  const answer = generation.recorder.answer(error, exchange, head.rawHeaders)
  if (response.headersSent || response.destroyed) response.destroy()
  else writeResponse(passage, answer)
}
