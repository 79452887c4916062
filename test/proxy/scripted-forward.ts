import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RejectedError } from '../../src/errors.ts'
import { createExchange } from '../../src/exchange.ts'
import { createForward } from '../../src/proxy/forward.ts'
import type { Lease } from '../../src/proxy/upstream.ts'
import type {
  OutgoingHead,
  RequestReceiver,
  UpstreamConnection,
} from '../../src/proxy/upstream-connection.ts'
import { UpstreamFault } from '../../src/proxy/upstream-fault.ts'

/** One time that the request was handed to a connection. */
export interface Sending {
  readonly maxIdle: number
  readonly receiver: RequestReceiver
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
  /** Whether the client takes each piece of the answer late. */
  readonly isFull?: boolean
  /** Whether the upstream takes each piece of the body late. */
  readonly isSlow?: boolean
}

/** A request that is forwarded over connections which do what the test says. */
export function forwardScripted(trial: Trial = {}) {
  const { method = 'GET', lines = [], httpVersion = '1.1', isReused = false } = trial
  const sendings: Sending[] = []
  const written: string[] = []
  const reading: string[] = []
  const answered: (Buffer | string)[] = []
  const refusals: RejectedError[] = []
  const socket = Object.assign(new EventEmitter(), {
    bytesRead: 0,
    wasReset: false,
    writableNeedDrain: false,
    write: () => true,
    resetAndDestroy() {
      socket.wasReset = true
    },
  })
  const request = Object.assign(new EventEmitter(), {
    method,
    httpVersion,
    rawHeaders: lines,
    complete: true,
    readableLength: 0,
    socket,
    isRead: true,
    pause() {
      request.isRead = false
    },
    resume() {
      request.isRead = true
    },
  })
  const response = Object.assign(new EventEmitter(), {
    headersSent: false,
    destroyed: false,
    writableEnded: false,
    socket,
    writeHead() {
      response.headersSent = true
    },
    write(data: Buffer | string) {
      answered.push(data)
      return trial.isFull !== true
    },
    end(data: Buffer | string) {
      answered.push(data)
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
    const connection = {
      send({ hasBody }: OutgoingHead, receiver: RequestReceiver) {
        sending = { maxIdle, receiver, hasBody, fate: 'lent' }
        sendings.push(sending)
      },
      isReused: () => isReused,
      hasHeard: () => trial.hasHeard === true,
      pause: () => void reading.push('pause'),
      resume: () => void reading.push('resume'),
      cork: () => undefined,
      write: (bytes: Buffer) => written.push(String(bytes)) > 0 && trial.isSlow !== true,
      writeText: (text: string) => written.push(text) > 0 && trial.isSlow !== true,
      endBody: () => void written.push('(end)'),
      destroy: become('destroyed'),
    }
    return {
      connection: connection as unknown as UpstreamConnection,
      release: become('released'),
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
    whenEnded(then) {
      response.removeAllListeners('close')
      if (then !== undefined) response.on('close', then)
    },
  })
  return { sendings, written, answered, reading, refusals, request, response, socket, exchange }
}

/** What a connection tells of one request; once it was ended it tells nothing. */
export function upstreamOf(sending: Sending) {
  const tell = (what: (receiver: RequestReceiver) => void) => {
    if (sending.fate !== 'destroyed') what(sending.receiver)
  }
  return {
    sent: () => tell((to) => to.onSent()),
    drain: () => tell((to) => to.onDrain()),
    head: (status = 200) => tell((to) => to.onHead({ status, reason: 'OK', lines: [] })),
    data: (text: string) => tell((to) => to.onData(Buffer.from(text))),
    end: (rest = '') => tell((to) => to.onEnd(Buffer.from(rest))),
    /** By default the other side has closed the connection. */
    fail: (error: Error = new UpstreamFault('UPSTREAM_CLOSED', 'broken')) =>
      tell((to) => to.onFailure(error)),
  }
}

export function last<T>(list: readonly T[]): T {
  const one = list.at(-1)
  if (one === undefined) throw new Error('the list is empty')
  return one
}
