import type { IncomingMessage } from 'node:http'
import type { Bytes } from '../config/config.ts'
import type { UpstreamConnection } from './upstream-connection.ts'

/** As the client framed it (RFC 9112 §6); the upstream gets the same. */
export type BodyFraming = 'length' | 'chunked'

/** A body on its way to the upstream. */
export interface BodyCarrier {
  /** The upstream takes more. */
  goOn(): void
  /** All of it was written, and its end. A request may have come whole and still wait for the upstream. */
  isWhole(): boolean
  /** Nothing more is carried, and nothing more read from the client. */
  stop(): void
}

const LAST_CHUNK = '0\r\n\r\n'
const CRLF = '\r\n'

/**
 * Carries the body of a request on, piece by piece as it comes, no faster than the upstream takes it. One that breaks off
 * never looks whole: only Node's parser says that it is, after the last of the bytes that were announced.
 */
export function carryBody(
  request: IncomingMessage,
  connection: UpstreamConnection,
  framing: BodyFraming,
): BodyCarrier {
  const send = framing === 'chunked' ? sendChunk : sendPiece
  const carry = (piece: Buffer) => {
    if (!send(connection, piece)) request.pause()
  }
  let isWhole = false
  const end = () => {
    isWhole = true
    if (framing === 'chunked') connection.writeText(LAST_CHUNK)
    connection.endBody()
  }
  request.on('data', carry).on('end', end)
  return {
    goOn: () => void request.resume(),
    isWhole: () => isWhole,
    stop() {
      request.off('data', carry).off('end', end)
      request.pause()
    },
  }
}

const sendPiece = (connection: UpstreamConnection, piece: Buffer): boolean =>
  connection.write(piece, lettingGo(piece))

function sendChunk(connection: UpstreamConnection, piece: Buffer): boolean {
  connection.cork()
  connection.writeText(`${piece.length.toString(16)}${CRLF}`)
  connection.write(piece, lettingGo(piece))
  return connection.writeText(CRLF)
}

/**
 * Makes the callback of the write of a piece: gives its memory back at once, not when it is collected. Node makes new memory
 * for each piece of a body, and 64 MiB of that begin a full collection: nearly half of the processor time of an upload.
 */
export function lettingGo({ buffer, byteLength }: Buffer): (error?: Error | null) => void {
  return (error) => {
    // Its own, and still there: that of Node's pool is shared with others.
    const isItsOwn = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    // After an error nobody says whether the system still reads it.
    if (!error && isItsOwn && byteLength >= LARGE) buffer.transfer(0)
  }
}

/** Letting go of less costs more than its collection. */
const LARGE: Bytes = 4 * 1024
