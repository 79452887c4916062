import type { IncomingMessage, ServerResponse } from 'node:http'
import { closeGently, connectionOf } from './connection.ts'
import { downstreamHeaders, type HeaderLines } from './headers.ts'

/** The head of an answer as the upstream sent it. */
export interface AnswerHead {
  readonly status: number
  /** As undici gives it: read as UTF-8. */
  readonly statusText: string
  /** Name, value, name, value, … as undici gives them: bytes. */
  readonly rawHeaders: unknown
}

interface Sides {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const EMPTY = Buffer.alloc(0)

/** Sends the head of a final answer. Never throws on what an upstream sent. */
export function writeHead({ request, response }: Sides, head: AnswerHead): void {
  const lines = linesOf(head)
  // The rest of the body may never come: this connection is not used for another request.
  if (!request.complete) {
    lines.push('Connection', 'close')
    if (response.socket !== null) {
      connectionOf(response.socket).finish()
      closeGently(response.socket)
    }
  }
  response.writeHead(head.status, reasonPhrase(head.statusText), lines)
  process.nextTick(flushHead, response)
}

/** An event stream shows its head before its first event. Not `flushHeaders`, which sends Latin-1 bytes as UTF-8. */
function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.write(EMPTY)
}

/**
 * RFC 9110 §15.2: an interim answer is passed on as it came, but not to HTTP/1.0 clients. One that a slow client does
 * not take in is left out, so that an upstream cannot fill the memory with them.
 */
export function writeInformational({ request, response }: Sides, head: AnswerHead): void {
  const { socket } = response
  if (request.httpVersion === '1.0' || response.headersSent || socket === null) return
  if (socket.writableNeedDrain) return
  const lines = linesOf(head)
  let text = `HTTP/1.1 ${head.status} ${reasonPhrase(head.statusText)}\r\n`
  for (let i = 0; i < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`
  socket.write(`${text}\r\n`, 'latin1')
}

/** Why an answer cannot be passed on as what it is; `undefined` for one that can. */
export function answerFault(
  status: number,
  coding: string | readonly string[] | undefined,
): Error | undefined {
  // RFC 9110 §15: the parsers take any three digits.
  if (status < 100) return new Error('status code is not one')
  // Whoever believed it would take what follows for another protocol.
  if (status === 101) return new Error('switched protocols without being asked')
  // The parsers undo `chunked` alone: the client would get coded bytes that nobody says are coded.
  const isUndone = coding === undefined || String(coding).trim().toLowerCase() === 'chunked'
  return isUndone ? undefined : new Error('unknown transfer coding')
}

function linesOf({ status, rawHeaders }: AnswerHead): string[] {
  const lines = downstreamHeaders(latin1(rawHeaders))
  return mayHaveLength(status) ? lines : withoutLength(lines)
}

/** RFC 9110 §8.6: an answer that cannot have a body has no length either; a 304 tells that of what it stands for. */
export const mayHaveLength = (status: number): boolean => status >= 200 && status !== 204

export function withoutLength(lines: HeaderLines): string[] {
  return lines.filter((_, i) => lines[i - (i % 2)]?.toLowerCase() !== 'content-length')
}

function latin1(rawHeaders: unknown): string[] {
  if (!Array.isArray(rawHeaders)) return []
  return rawHeaders.map((part: Buffer | string) =>
    typeof part === 'string' ? part : part.toString('latin1'),
  )
}

/** The bytes of the phrase; none where they are lost or may not be in one. It means nothing to a client (RFC 9112 §4). */
function reasonPhrase(statusText: string): string {
  const bytes = Buffer.from(statusText).toString('latin1')
  return statusText.includes('\ufffd') || !/^[\t\x20-\x7e\x80-\xff]*$/.test(bytes) ? '' : bytes
}
