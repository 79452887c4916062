import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { type RequestOptions, request as requestHttps } from 'node:https'
import type { Bytes, Milliseconds } from '../config/config.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Empty unless the status is 200. */
  readonly body: Buffer
}

export type ExchangeCode = 'TIMEOUT' | 'TOO_LARGE' | 'ENCODED' | 'CUT' | 'CLOSED'

/** The exchange was ended by a rule of ours; other failures keep the `code` of Node. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError'
  readonly code: ExchangeCode

  constructor(code: ExchangeCode) {
    super(code)
    this.code = code
  }
}

export interface Exchange {
  /** `protocol` decides between http and https. */
  readonly options: RequestOptions
  /** For everything together: names, connection, TLS, head and body. */
  readonly timeout: Milliseconds
  readonly maxBody: Bytes
  readonly signal: AbortSignal
}

/**
 * One GET on a connection of its own, which is gone when the promise settles. A body is read only with status 200,
 * up to `maxBody`, and never decoded: with any `Content-Encoding` it is refused, as a small body may expand without
 * end. Redirects are answers like others. Rejects with an ExchangeError or an error that has Node's `code`.
 */
export function exchange({ options, timeout, maxBody, signal }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = options.protocol === 'https:' ? requestHttps : requestHttp
    const request = send({ ...options, method: 'GET', agent: false })
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      settle()
      request.destroy()
    }
    const fail = (error: Error): void => end(() => reject(error))
    const abort = (): void => fail(new ExchangeError('CLOSED'))
    const timer = setTimeout(() => fail(new ExchangeError('TIMEOUT')), timeout)
    signal.addEventListener('abort', abort)
    request.on('error', fail)
    // The socket outlives the request's own listener for a moment; its last error must find one.
    request.on('socket', (socket) => socket.on('error', () => undefined))
    request.on('response', (response) => {
      const { statusCode: status = 0, headers } = response
      response.on('error', () => undefined)
      if (status !== 200) return end(() => resolve({ status, headers, body: Buffer.alloc(0) }))
      readBody(response, maxBody, (body) => end(() => resolve({ status, headers, body })), fail)
    })
    if (signal.aborted) abort()
    else request.end()
  })
}

function readBody(
  response: IncomingMessage,
  maxBody: Bytes,
  done: (body: Buffer) => void,
  fail: (error: Error) => void,
): void {
  const { 'content-encoding': encoding = 'identity', 'content-length': length } = response.headers
  const refuse = (code: ExchangeCode): void => fail(new ExchangeError(code))
  response.on('error', () => refuse('CUT'))
  if (encoding.toLowerCase() !== 'identity') {
    refuse('ENCODED')
    return
  }
  if (Number(length) > maxBody) {
    refuse('TOO_LARGE')
    return
  }
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBody) refuse('TOO_LARGE')
    else chunks.push(chunk)
  })
  response.on('end', () => done(Buffer.concat(chunks, size)))
}
