import { randomBytes } from 'node:crypto'

/**
 * Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) by their lengths alone, so that a frame of ours
 * can be put between two of theirs. Looks at no payload and keeps none.
 */
export interface FrameFollower {
  follow(chunk: Buffer): void
  /** Whether the next byte would begin a frame. */
  isAtBoundary(): boolean
}

const LONGEST_HEADER = 14

export function createFrameFollower(): FrameFollower {
  const header = Buffer.alloc(LONGEST_HEADER)
  let headerLength = 0
  let payloadLeft = 0

  /** Takes header bytes until the header is complete; returns the next offset. */
  const takeHeader = (chunk: Buffer, offset: number): number => {
    let at = offset
    while (at < chunk.length) {
      header[headerLength++] = chunk[at++] ?? 0
      if (headerLength < 2 || headerLength < headerSize(header)) continue
      payloadLeft = payloadLength(header)
      headerLength = 0
      break
    }
    return at
  }

  return {
    follow(chunk) {
      let at = 0
      while (at < chunk.length) {
        if (payloadLeft > 0) {
          const skipped = Math.min(payloadLeft, chunk.length - at)
          payloadLeft -= skipped
          at += skipped
        } else {
          at = takeHeader(chunk, at)
        }
      }
    },
    isAtBoundary: () => headerLength === 0 && payloadLeft === 0,
  }
}

function headerSize(header: Buffer): number {
  const second = header[1] ?? 0
  const length = second & 0x7f
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4)
}

function payloadLength(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f
  if (length === 126) return header.readUInt16BE(2)
  if (length === 127) return Number(header.readBigUInt64BE(2))
  return length
}

/** An unmasked close frame with a status code, as a server sends it. */
export function closeFrame(status: number): Buffer {
  return Buffer.from([0x88, 0x02, status >> 8, status & 0xff])
}

/** The same as a client sends it: masked with a mask of its own (RFC 6455 §5.3). */
export function maskedCloseFrame(status: number): Buffer {
  const mask = randomBytes(4)
  const payload = [(status >> 8) ^ (mask[0] ?? 0), (status & 0xff) ^ (mask[1] ?? 0)]
  return Buffer.from([0x88, 0x82, ...mask, ...payload])
}
