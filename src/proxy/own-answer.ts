import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Exchange } from '../exchange.ts'
import type { Answer } from '../pages/problem.ts'
import { closeGently, connectionOf, linger } from './connection.ts'
import type { RequestHead } from './gate.ts'
import { bodyFollows, isWebSocketUpgrade } from './headers.ts'

/** What an answer of ours is the answer to. */
export interface Answered {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  readonly exchange: Pick<Exchange, 'code'>
}

const phraseOf = (status: number): string => STATUS_CODES[status] ?? 'Refused'

/** Writes a whole answer of ours. It is the last of its connection where nobody can know what would come next on it. */
export function writeResponse(
  { request, response, head, exchange }: Answered,
  answer: Answer,
): void {
  const body = asLatin1(answer.body)
  const lines = [...answer.headers, 'Content-Length', String(body.length)]
  const isUnread = bodyFollows(head.rawHeaders) && !request.complete
  // After a refused handshake a client may send frames; after malformed HTTP nobody knows what comes.
  const isMalformed = exchange.code === 'ERR_REQUEST_MALFORMED'
  const isLast = isUnread || isMalformed || isWebSocketUpgrade(head.rawHeaders)
  if (isLast) lines.push('Connection', 'close')
  // Some versions of Node go on with what is behind a last answer.
  if (isLast && response.socket !== null) connectionOf(response.socket).finish()
  if (isUnread && response.socket !== null) closeGently(response.socket)
  // The phrase of an upstream's answer that could not be sent may still be set.
  response.writeHead(answer.status, phraseOf(answer.status), lines)
  // As text it goes out with its head as one.
  response.end(head.method === 'HEAD' ? '' : body, 'latin1')
}

/** Writes an answer of ours where Node has given the socket away. It is the last of its connection. */
export function writeRaw(socket: Socket, answer: Answer): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const body = asLatin1(answer.body)
  let text = `HTTP/1.1 ${answer.status} ${phraseOf(answer.status)}\r\n`
  for (let i = 0; i < answer.headers.length; i += 2)
    text += `${answer.headers[i]}: ${answer.headers[i + 1]}\r\n`
  text += `Content-Length: ${body.length}\r\nDate: ${new Date().toUTCString()}\r\nConnection: close\r\n\r\n`
  connectionOf(socket).finish()
  socket.write(text + body, 'latin1')
  linger(socket)
}

/** The bytes of a text in UTF-8, each as one character. Most of our texts are ASCII and need no copy of their 4 KiB. */
const asLatin1 = (text: string): string =>
  Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1')
