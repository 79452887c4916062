import type { Config, Milliseconds } from '../config/config.ts'
import { type Decide, type Decision, KnownUserError } from '../decision.ts'
import { RejectedError } from '../errors.ts'
import {
  createExchange,
  type Exchange,
  type ExchangeObserver,
  logExchange,
  type Opening,
} from '../exchange.ts'
import type { Log } from '../log.ts'
import { type Answer, internalErrorAnswer, problemAnswer } from '../pages/problem.ts'
import type { RequestHead } from './gate.ts'
import { type HeaderLines, listedValue } from './headers.ts'

export interface RecorderOptions {
  readonly config: Pick<Config, 'errorDetail' | 'logEmail'>
  readonly decide: Decide
  readonly observer: ExchangeObserver
  readonly log: Log
  /** Monotonic. */
  readonly now: () => Milliseconds
  /** Runs what is given to it soon, and with it what other requests leave until then. */
  readonly defer: (run: () => void) => void
}

interface Ended {
  readonly exchange: Exchange
  readonly duration: Milliseconds
}

/** Keeps the record of each exchange: its beginning, the decision, the answer of ours, its end. */
export interface Recorder {
  begin(head: Opening): Exchange
  decide(head: RequestHead, exchange: Exchange): Promise<Decision>
  /** Calls `then` once no decision is under way: at once, or at the end of the last. */
  whenUndecided(then: () => void): void
  /** The one place where an error becomes an answer. */
  answer(error: unknown, exchange: Exchange, rawHeaders: HeaderLines): Answer
  /** The log line and the metrics, soon; to be called once. What the exchange becomes afterwards is not in them. */
  end(exchange: Exchange): void
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { config, decide, observer, log, now } = options
  let underWay = 0
  let whenUndecided: (() => void) | undefined
  const leave = createEnding(options)
  return {
    begin(head) {
      observer.begin()
      return createExchange(head, now())
    },
    async decide(head, exchange) {
      const started = now()
      underWay++
      try {
        const decision = await decide(head)
        exchange.decision = 'forward'
        exchange.verified = decision.verified
        exchange.dropped = decision.dropped
        exchange.wouldRefuse = decision.wouldRefuse
        return decision
      } finally {
        exchange.verifyDuration = now() - started
        underWay--
        if (underWay === 0) whenUndecided?.()
      }
    },
    whenUndecided(then) {
      whenUndecided = then
      if (underWay === 0) then()
    },
    answer(error, exchange, rawHeaders) {
      const requestId = exchange.id
      if (!(error instanceof RejectedError)) {
        exchange.status = 500
        log.error({ request_id: requestId, ...describeFault(error) }, 'internal error')
        return internalErrorAnswer(requestId)
      }
      if (error instanceof KnownUserError) exchange.verified = error.verified
      exchange.code = error.code
      exchange.reason = error.reason
      exchange.status = error.status
      const accept = listedValue(rawHeaders, 'accept')
      return problemAnswer(error, { requestId, accept, detail: config.errorDetail })
    },
    end(exchange) {
      const duration = now() - exchange.started
      // Refused after all: then nothing was forwarded that would have been refused.
      if (exchange.decision === 'reject') exchange.wouldRefuse = undefined
      leave(exchange, duration)
    },
  }
}

/**
 * Counts and writes what ended in one turn of the event loop together: between the steps of other requests it cost 8 % more
 * of all that a request costs.
 */
function createEnding({ config, observer, log, defer }: RecorderOptions) {
  const user = config.logEmail ? 'with-email' : 'without-email'
  let ended: Ended[] = []
  const count = ({ exchange, duration }: Ended) => {
    try {
      observer.end(exchange, duration)
    } catch (fault) {
      // It must not take the others with it.
      log.error({ request_id: exchange.id, ...describeFault(fault) }, 'internal error')
    }
  }
  const finish = () => {
    const all = ended
    ended = []
    for (const each of all) count(each)
    for (const { exchange, duration } of all) logExchange(log, exchange, duration, user)
  }
  return (exchange: Exchange, duration: Milliseconds) => {
    if (ended.push({ exchange: { ...exchange }, duration }) === 1) defer(finish)
  }
}

/** A fault of ours for the log: where it happened, but not its message, which may quote what a client sent. */
export function describeFault(error: unknown): { readonly fault: string; readonly at: string } {
  if (!(error instanceof Error)) return { fault: typeof error, at: '' }
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  const code = 'code' in error ? ` ${String(error.code)}` : ''
  return { fault: `${error.name}${code}`, at: frames.slice(0, 8).join('\n') }
}
