import { randomBytes } from 'node:crypto'

const LONGEST_HEADER = 14

/**
 * Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) by their lengths alone, so that a frame of ours
 * can be put between two of theirs. Looks at no payload and keeps none.
 */
export class FrameFollower {
  /** Bytes of the payload under way that are still to come. */
  #left = 0
  /** The beginning of a header of which the rest is still to come. */
  #cut: Uint8Array | undefined

  follow(chunk: Buffer): void {
    let at = this.#skip(chunk, 0)
    while (at < chunk.length) at = this.#skip(chunk, this.#takeHeader(chunk, at))
  }

  /** Whether the next byte would begin a frame. */
  isAtBoundary(): boolean {
    return this.#left === 0 && this.#cut === undefined
  }

  /** Returns where the payload ends, or the chunk. */
  #skip(chunk: Buffer, at: number): number {
    const skipped = Math.min(this.#left, chunk.length - at)
    this.#left -= skipped
    return at + skipped
  }

  /** Returns where the header ends, or the chunk. */
  #takeHeader(chunk: Buffer, at: number): number {
    if (this.#cut !== undefined) return this.#takeRest(this.#cut, chunk)
    const end = at + headerSize(chunk, at)
    if (end > chunk.length) {
      // In memory of its own: a byte in Node's pool would keep all of the pool for as long as the client likes.
      this.#cut = new Uint8Array(chunk.subarray(at))
      return chunk.length
    }
    this.#left = payloadLength(chunk, at)
    return end
  }

  #takeRest(begun: Uint8Array, chunk: Buffer): number {
    this.#cut = undefined
    const header = Buffer.concat([begun, chunk.subarray(0, LONGEST_HEADER)])
    return this.#takeHeader(header, 0) - begun.length
  }
}

/** As long as it can be, where the byte that says so is still to come. */
function headerSize(chunk: Buffer, at: number): number {
  const second = chunk[at + 1]
  if (second === undefined) return LONGEST_HEADER
  const length = second & 0x7f
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4)
}

function payloadLength(chunk: Buffer, at: number): number {
  const length = (chunk[at + 1] ?? 0) & 0x7f
  if (length === 126) return chunk.readUInt16BE(at + 2)
  if (length === 127) return Number(chunk.readBigUInt64BE(at + 2))
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
