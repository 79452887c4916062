import type { Bytes, Milliseconds } from '../config/config.ts'
import { ChunkedReader } from './chunked.ts'
import { type AnswerHead, type Framing, parseHead } from './parse-answer.ts'
import { UpstreamFault } from './upstream-fault.ts'

/** Told about one answer, in this order; any of these may throw, which ends the connection. */
export interface AnswerReceiver {
  /** An interim head other than 100, any number of times, then the final one. */
  onHead(head: AnswerHead): void
  /** A piece of the body. Its bytes are there until it returns: what is kept of them is copied. */
  onData(data: Buffer): void
  /** The answer is whole. `last` is the end of its body where its length was known, else empty; it is gone afterwards, too. */
  onEnd(last: Buffer): void
}

const EMPTY: Buffer = Buffer.alloc(0)
const HEAD_END = '\r\n\r\n'

type Place = 'rest' | 'head' | Framing

const unasked = () => new UpstreamFault('ANSWER_MALFORMED', 'bytes that nobody asked for')

/** Reads one answer after the other from the bytes of one connection (RFC 9112 §6.3). Does no I/O. */
export class AnswerReader {
  readonly #maxHeaderSize: Bytes
  readonly #receiver: AnswerReceiver
  readonly #chunked: ChunkedReader
  readonly #onChunk: (data: Buffer) => void
  #place: Place = 'rest'
  /** Of the request that is being answered. */
  #method = ''
  /** The beginning of a head whose end has not come yet. */
  #held = EMPTY
  /** Bytes of the body that are still to come. */
  #left = 0
  #heard = false
  #idleLimit: Milliseconds = 0

  constructor(maxHeaderSize: Bytes, receiver: AnswerReceiver) {
    this.#maxHeaderSize = maxHeaderSize
    this.#receiver = receiver
    this.#chunked = new ChunkedReader(maxHeaderSize)
    this.#onChunk = (data) => receiver.onData(data)
  }

  /** A request was sent with this method: what is read from now on is its answer. */
  expect(method: string): void {
    this.#place = 'head'
    this.#method = method
    this.#heard = false
    this.#idleLimit = 0
  }

  /** Keeps none of the bytes. @throws UpstreamFault when they are no answer, or nobody asked for one */
  read(bytes: Buffer): void {
    this.#heard = true
    if (this.#isAtRest()) throw unasked()
    // What is behind a whole answer is not read: the connection is of no more use, but that answer is.
    for (let rest = bytes; rest.length > 0 && !this.#isAtRest(); ) rest = this.#readSome(rest)
  }

  /** Nothing more will come, which ends some answers. @throws UpstreamFault when it ends none */
  end(): void {
    this.#idleLimit = 0
    if (this.#place !== 'close') throw new UpstreamFault('UPSTREAM_CLOSED', 'no whole answer')
    this.#finish(EMPTY)
  }

  /** Whether anything was read since the request was sent, be it a part of a head that was never whole. */
  hasHeard(): boolean {
    return this.#heard
  }

  /** After an answer: for how long the connection may be idle and still be used; `0` for not at all. */
  idleLimit(): Milliseconds {
    return this.#idleLimit
  }

  #isAtRest(): boolean {
    return this.#place === 'rest'
  }

  #readSome(bytes: Buffer): Buffer {
    switch (this.#place) {
      case 'head':
        return this.#readHead(bytes)
      case 'length':
        return this.#readLength(bytes)
      case 'chunked':
        return this.#readChunks(bytes)
      case 'close':
        this.#receiver.onData(bytes)
        return EMPTY
      default:
        throw unasked()
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const end = all.indexOf(HEAD_END, Math.max(0, this.#held.length - HEAD_END.length))
    const size = end === -1 ? all.length : end
    if (size > this.#maxHeaderSize)
      throw new UpstreamFault('ANSWER_HEAD_TOO_LARGE', 'larger than max_header_size')
    this.#held = end === -1 ? Buffer.from(all) : EMPTY
    if (end === -1) return EMPTY
    const rest = all.subarray(end + HEAD_END.length)
    this.#takeHead(all.toString('latin1', 0, end), rest)
    return rest
  }

  /** @param behind what has come behind the head */
  #takeHead(text: string, behind: Buffer): void {
    const head = parseHead(text, this.#method)
    // RFC 9110 §15.2: any client must be able to pass over one it did not ask for. claimgate answers `Expect` itself.
    if (head.status === 100) return
    this.#receiver.onHead(head)
    if (head.status < 200) return
    this.#place = head.framing
    this.#left = head.length
    this.#idleLimit = head.idleLimit
    if (head.framing === 'none') this.#finish(behind)
  }

  #readLength(bytes: Buffer): Buffer {
    const data = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
    const rest = bytes.subarray(data.length)
    this.#left -= data.length
    if (this.#left > 0) this.#receiver.onData(data)
    else this.#finish(rest, data)
    return rest
  }

  #readChunks(bytes: Buffer): Buffer {
    const rest = this.#chunked.read(bytes, this.#onChunk)
    if (rest !== undefined) this.#finish(rest)
    return EMPTY
  }

  /** @param behind what has come behind the answer: it belongs to nobody, and nobody knows what would follow it */
  #finish(behind: Buffer, last = EMPTY): void {
    this.#place = 'rest'
    if (behind.length > 0) this.#idleLimit = 0
    this.#receiver.onEnd(last)
  }
}
