import type { IncomingMessage, ServerResponse } from 'node:http'
import { closeGently, connectionOf } from './connection.ts'
import { downstreamHeaders, type HeaderLines } from './headers.ts'
import type { AnswerHead } from './parse-answer.ts'

interface Sides {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const EMPTY = Buffer.alloc(0)

/** Prepares the head of a final answer; it goes out with what is written next, or by {@link flushHead}. */
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
  response.writeHead(head.status, head.reason, lines)
}

/** Not `flushHeaders`, which sends Latin-1 bytes as UTF-8. */
export function flushHead(response: ServerResponse): void {
  response.write(EMPTY)
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
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`
  for (let i = 0; i < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`
  socket.write(`${text}\r\n`, 'latin1')
}

function linesOf({ status, lines: sent }: AnswerHead): string[] {
  const lines = downstreamHeaders(sent)
  return mayHaveLength(status) ? lines : withoutLength(lines)
}

/** RFC 9110 §8.6: an answer that cannot have a body has no length either; a 304 tells that of what it stands for. */
export const mayHaveLength = (status: number): boolean => status >= 200 && status !== 204

export function withoutLength(lines: HeaderLines): string[] {
  return lines.filter((_, i) => lines[i - (i % 2)]?.toLowerCase() !== 'content-length')
}
