import type { Bytes } from '../config/config.ts'
import { UpstreamFault } from './upstream-fault.ts'

/** A size, an extension that nobody here knows, and the line end that no reader may guess. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/
/** Trailer fields are dropped (docs/security.md), but nothing else is taken for one. */
const TRAILER_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n$/
const LINE_END = '\r\n'
const LINE_FEED = 0x0a
const MAX_SIZE_LINE: Bytes = 4 * 1024

type Place = 'size' | 'data' | 'data-end' | 'trailers' | 'whole'

const malformed = (detail: string) => new UpstreamFault('ANSWER_MALFORMED', detail)

/** Takes the chunks of one body after the other apart (RFC 9112 §7.1). */
export class ChunkedReader {
  #place: Place = 'size'
  /** The beginning of a line whose end has not come yet. */
  #line = ''
  /** Bytes of the chunk that are still to come. */
  #left = 0
  /** Bytes that the trailer fields of this body may still have. */
  #trailersLeft = 0
  readonly #maxTrailers: Bytes

  /** @param maxTrailers of all trailer fields of one body together */
  constructor(maxTrailers: Bytes) {
    this.#maxTrailers = maxTrailers
  }

  /**
   * Hands the data of `bytes` to `onData`, in the pieces in which it comes. Gives what stands behind the body once that
   * is whole, and is ready for another; `undefined` until then.
   *
   * @throws UpstreamFault `ANSWER_MALFORMED`
   */
  read(bytes: Buffer, onData: (data: Buffer) => void): Buffer | undefined {
    let rest = bytes
    while (rest.length > 0) {
      rest = this.#place === 'data' ? this.#readData(rest, onData) : this.#readLine(rest)
      if (this.#place !== 'whole') continue
      this.#place = 'size'
      return rest
    }
    return undefined
  }

  #readData(bytes: Buffer, onData: (data: Buffer) => void): Buffer {
    const data = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
    this.#left -= data.length
    if (this.#left === 0) this.#place = 'data-end'
    onData(data)
    return bytes.subarray(data.length)
  }

  #readLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf(LINE_FEED)
    const size = end === -1 ? bytes.length : end + 1
    if (this.#line.length + size > this.#lineLimit()) throw malformed('a line of a chunked body')
    const line = this.#line + bytes.toString('latin1', 0, size)
    this.#line = end === -1 ? line : ''
    if (end !== -1) this.#take(line)
    return bytes.subarray(size)
  }

  #lineLimit(): Bytes {
    if (this.#place === 'data-end') return LINE_END.length
    return this.#place === 'trailers' ? this.#trailersLeft : MAX_SIZE_LINE
  }

  #take(line: string): void {
    if (this.#place === 'size') this.#takeSize(line)
    else if (this.#place === 'trailers') this.#takeTrailer(line)
    else if (line === LINE_END) this.#place = 'size'
    else throw malformed('the end of a chunk')
  }

  #takeSize(line: string): void {
    const size = Number.parseInt(SIZE_LINE.exec(line)?.[1] ?? '', 16)
    if (!Number.isSafeInteger(size)) throw malformed('the size of a chunk')
    this.#left = size
    this.#trailersLeft = this.#maxTrailers
    this.#place = size === 0 ? 'trailers' : 'data'
  }

  #takeTrailer(line: string): void {
    this.#trailersLeft -= line.length
    if (line === LINE_END) this.#place = 'whole'
    else if (!TRAILER_LINE.test(line)) throw malformed('a trailer field')
  }
}
