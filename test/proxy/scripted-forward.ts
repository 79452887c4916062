import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { RejectedError } from '../../src/errors.ts'
import { createExchange } from '../../src/exchange.ts'
import { createForward } from '../../src/proxy/forward.ts'
import type { Lease } from '../../src/proxy/upstream.ts'

/** The method that undici calls at the first byte of an answer is not in its types. */
type Handler = Required<Dispatcher.DispatchHandler> & { onResponseStarted(): void }

/** One time that the request was handed to a connection. */
export interface Sending {
  readonly maxIdle: number
  readonly handler: Handler
  readonly hasBody: boolean
  /** What became of the connection. */
  fate: 'lent' | 'released' | 'destroyed'
}

export interface Trial {
  readonly method?: string
  readonly lines?: readonly string[]
  readonly httpVersion?: string
  /** Whether a request was answered before on the first connection. */
  readonly isReused?: boolean
  /** Whether the upstream has said anything since. */
  readonly hasHeard?: boolean
  readonly bodyIdleTimeout?: number
}

/** A request that is forwarded over connections which do what the test says. */
export function forwardScripted(trial: Trial = {}) {
  const { method = 'GET', lines = [], httpVersion = '1.1', isReused = false } = trial
  const sendings: Sending[] = []
  const refusals: RejectedError[] = []
  const written: string[] = []
  const socket = Object.assign(new EventEmitter(), {
    bytesRead: 0,
    wasReset: false,
    resetAndDestroy() {
      socket.wasReset = true
    },
  })
  const request = {
    method,
    httpVersion,
    rawHeaders: lines,
    complete: true,
    readableLength: 0,
    socket,
  }
  const response = Object.assign(new EventEmitter(), {
    headersSent: false,
    destroyed: false,
    writableEnded: false,
    socket,
    writeHead() {
      response.headersSent = true
    },
    write(chunk: Buffer) {
      written.push(chunk.toString())
      return true
    },
    end() {
      response.writableEnded = true
    },
    destroy() {
      response.destroyed = true
      response.emit('close')
    },
  })
  const lease = (maxIdle: number): Lease => {
    let sending: Sending | undefined
    const become = (fate: Sending['fate']) => () => {
      if (sending !== undefined) sending.fate = fate
    }
    const dispatch = ({ body }: { readonly body: unknown }, handler: Handler) => {
      sending = { maxIdle, handler, hasBody: body !== null, fate: 'lent' }
      sendings.push(sending)
    }
    return {
      client: { dispatch } as unknown as Lease['client'],
      isReused: () => isReused,
      hasHeard: () => trial.hasHeard === true,
      begin: () => undefined,
      release: become('released'),
      destroy: become('destroyed'),
    }
  }
  const exchange = createExchange({ method, target: '/' }, 0)
  const config = { bodyIdleTimeout: trial.bodyIdleTimeout ?? 60_000 }
  createForward({ pool: { lease, close: () => undefined }, config, now: () => 0 })({
    request: request as unknown as IncomingMessage,
    response: response as unknown as ServerResponse,
    target: '/',
    headers: [],
    exchange,
    refuse: (error) => refusals.push(error),
  })
  return { sendings, refusals, written, request, response, socket, exchange }
}

const CONTROLLER = {
  rawHeaders: [],
  pause: () => undefined,
  resume: () => undefined,
} as unknown as Dispatcher.DispatchController

/** What undici tells of one request on its connection. */
export const upstreamOf = ({ handler }: Sending) => ({
  start: () => handler.onRequestStart(CONTROLLER, null),
  firstByte: () => handler.onResponseStarted(),
  head: (status = 200) => handler.onResponseStart(CONTROLLER, status, {}, 'OK'),
  data: (text: string) => handler.onResponseData(CONTROLLER, Buffer.from(text)),
  end: () => handler.onResponseEnd(CONTROLLER, {}),
  /** As undici tells of a connection that the other side has closed. */
  fail: (error: Error = Object.assign(new Error('broken'), { code: 'UND_ERR_SOCKET' })) =>
    handler.onResponseError(CONTROLLER, error),
})

export function last<T>(list: readonly T[]): T {
  const one = list.at(-1)
  if (one === undefined) throw new Error('the list is empty')
  return one
}
