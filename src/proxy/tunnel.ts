import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Bytes, Config, Milliseconds } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { mayHaveLength, withoutLength } from './answer-head.ts'
import { type Connect, ConnectTimeoutError } from './connector.ts'
import { downstreamHeaders, type HeaderLines, isWebSocketUpgrade } from './headers.ts'
import { answerFault } from './parse-answer.ts'
import { splice, type Tunnel } from './splice.ts'
import { faultName } from './upstream-fault.ts'

export interface TunnelRequest {
  readonly client: Socket
  /** Bytes the client sent after its handshake; they go upstream after the 101 and nowhere else. */
  readonly early: Buffer
  readonly target: string
  /** The client's handshake less what must not pass, and the identity headers. */
  readonly headers: HeaderLines
  readonly exchange: Exchange
  /** Answers in the upstream's place, while nothing was answered. */
  readonly refuse: (error: RejectedError) => void
  readonly onOpen: (tunnel: Tunnel) => void
}

export type OpenTunnel = (tunnel: TunnelRequest) => void

export interface TunnelOptions {
  readonly connect: Connect
  readonly config: Pick<Config, 'upstreamResponseTimeout' | 'bodyIdleTimeout' | 'maxHeaderSize'>
  /** Monotonic. */
  readonly now: () => Milliseconds
}

class HandshakeTimeoutError extends Error {
  override readonly name = 'HandshakeTimeoutError'
}

/** The fields that make the request a handshake again, after those of the client's connection were removed. */
const UPGRADE_LINES: HeaderLines = ['Connection', 'Upgrade', 'Upgrade', 'websocket']

/** Not in the scope of a tunnel, all of which it would keep for as long as the tunnel is open. */
const noop = () => undefined

/** Sends a decided WebSocket handshake upstream; a byte tunnel begins only after the upstream's 101. */
export function createOpenTunnel({ connect, config, now }: TunnelOptions): OpenTunnel {
  return (tunnel) => {
    const { client, exchange } = tunnel
    const started = now()
    const request = handshake(tunnel, connect, config.maxHeaderSize)
    let isSettled = false

    /** The first outcome counts: an answer, a failure, or the client gone. */
    const settle = (): boolean => {
      if (isSettled) return false
      isSettled = true
      clearTimeout(timer)
      takeEarly()
      client.off('close', clientGone).off('end', clientGone)
      return true
    }
    const answer = (response: IncomingMessage) => {
      exchange.upstreamDuration = now() - started
      exchange.status = response.statusCode
    }
    const fail = (error: unknown) => {
      if (!settle()) return
      request.destroy()
      tunnel.refuse(handshakeError(error))
    }
    // Also when it has only ended its own side: over such a connection no WebSocket can be spoken.
    const clientGone = () => {
      settle()
      exchange.aborted = true
      request.destroy()
      client.destroy()
    }
    const takeEarly = readEarly(tunnel, config.bodyIdleTimeout, fail)
    const limit = config.upstreamResponseTimeout
    const timer =
      limit === undefined ? undefined : setTimeout(() => fail(new HandshakeTimeoutError()), limit)
    client.once('close', clientGone).once('end', clientGone)
    // It may have ended while the decision was made.
    if (client.readableEnded) clientGone()
    request.on('error', fail)
    request.on('response', (response) => {
      const fault = answerFault(response.statusCode ?? 0, response.headers['transfer-encoding'])
      if (fault !== undefined) fail(fault)
      if (!settle()) return void response.destroy()
      answer(response)
      relayResponse(response, tunnel)
    })
    request.on('upgrade', (response, upstream, head) => {
      upstream.on('error', noop)
      if (!isWebSocketUpgrade(response.rawHeaders)) fail(new Error('upgraded to something else'))
      if (!settle()) return void upstream.destroy()
      answer(response)
      client.write(answerHead(response, UPGRADE_LINES), 'latin1')
      const early = takeEarly()
      tunnel.onOpen(splice({ client, upstream: upstream as Socket, early, head, exchange }))
    })
  }
}

/** The longest a client may run ahead of the answer to its handshake; beyond that no more is read from it. */
const MAX_EARLY: Bytes = 64 * 1024

/**
 * Goes on reading a client that waits, without which its end would not be noticed. Gives back what it sent until then.
 *
 * The end of a client of which no more is read is not noticed: so it may wait for `limit` only. None must send anything
 * before the answer (RFC 6455 §4.1).
 */
function readEarly(
  { client, early: first }: TunnelRequest,
  limit: Milliseconds,
  fail: (error: RejectedError) => void,
): () => Buffer {
  const chunks = [first]
  let size = first.length
  let timer: NodeJS.Timeout | undefined
  const keep = (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size < MAX_EARLY) return
    client.pause()
    timer ??= setTimeout(() => fail(tooFarAhead()), limit)
  }
  client.on('data', keep)
  return () => {
    clearTimeout(timer)
    client.off('data', keep)
    return Buffer.concat(chunks)
  }
}

const tooFarAhead = () =>
  new RejectedError('ERR_REQUEST_MALFORMED', {
    reason: 'data ahead of the answer to the handshake',
  })

function handshake(
  { target, headers, client }: TunnelRequest,
  connect: Connect,
  maxHeaderSize: number,
): ClientRequest {
  const request = httpRequest({
    createConnection: (_options, callback) => {
      connect((error, socket) => callback(error, socket as Socket))
      return undefined
    },
    method: 'GET',
    path: target,
    headers: [...headers, ...UPGRADE_LINES],
    maxHeaderSize,
  })
  request.on('information', (response) => {
    // As on the plain path: one that a slow client does not take in is left out.
    if (!client.writableNeedDrain) client.write(answerHead(response, []), 'latin1')
  })
  request.end()
  return request
}

interface AnswerHead {
  readonly statusCode?: number | undefined
  readonly statusMessage?: string | undefined
  readonly rawHeaders: HeaderLines
}

function answerHead(response: AnswerHead, added: HeaderLines): string {
  const passedOn = downstreamHeaders(response.rawHeaders)
  const hasLength = mayHaveLength(response.statusCode ?? 0)
  const lines = [...(hasLength ? passedOn : withoutLength(passedOn)), ...added]
  let head = `HTTP/1.1 ${response.statusCode ?? 502} ${response.statusMessage ?? ''}\r\n`
  for (let i = 0; i < lines.length; i += 2) head += `${lines[i]}: ${lines[i + 1]}\r\n`
  return `${head}\r\n`
}

/** Any other answer than 101 goes to the client as what it is; then the connection ends. What follows is no frame. */
function relayResponse(response: IncomingMessage, { client, exchange }: TunnelRequest): void {
  const { statusCode } = response
  // RFC 9112 §6.3: neither has a body, whatever it says.
  const isBodiless = statusCode === 204 || statusCode === 304
  const isFramed = isBodiless || response.headers['content-length'] !== undefined
  // Chunked, so that a broken answer cannot look whole.
  const framing = isFramed ? [] : ['Transfer-Encoding', 'chunked']
  client.write(answerHead(response, [...framing, 'Connection', 'close']), 'latin1')
  client.on('drain', () => response.resume())
  client.once('close', () => response.destroy())
  // Also one that has only ended its own side: whoever reads no more would keep both connections for as long as it likes.
  client.once('end', () => client.destroy())
  if (client.readableEnded) client.destroy()
  client.resume()
  response.on('data', (chunk: Buffer) => {
    exchange.bytes += chunk.length
    const bytes = isFramed ? chunk : Buffer.concat([chunkHead(chunk.length), chunk, CRLF])
    if (!client.write(bytes)) response.pause()
  })
  response.on('error', () => client.destroy())
  response.on('end', () => {
    if (!response.complete) return void client.destroy()
    client.end(isFramed ? '' : '0\r\n\r\n', () => client.destroy())
  })
}

const CRLF = Buffer.from('\r\n')
const chunkHead = (length: number) => Buffer.from(`${length.toString(16)}\r\n`)

function handshakeError(error: unknown): RejectedError {
  if (error instanceof RejectedError) return error
  const isTimeout = error instanceof HandshakeTimeoutError || error instanceof ConnectTimeoutError
  return new RejectedError(isTimeout ? 'ERR_UPSTREAM_TIMEOUT' : 'ERR_UPSTREAM_UNAVAILABLE', {
    reason: faultName(error),
    cause: error,
  })
}
