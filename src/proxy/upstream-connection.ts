import type { Socket } from 'node:net'
import type { Bytes, Milliseconds } from '../config/config.ts'
import { AnswerReader, type AnswerReceiver } from './answer-reader.ts'
import type { Connect } from './connector.ts'
import type { AnswerHead } from './parse-answer.ts'
import { UpstreamFault } from './upstream-fault.ts'

/** What happens to one request on its connection. Either `onEnd` or `onFailure` comes, once, and nothing after it. */
export interface RequestReceiver extends AnswerReceiver {
  /** The head is written: the body may follow. */
  onSent(): void
  /** More of the body may be written. */
  onDrain(): void
  /** All that has arrived so far was handed over. */
  onPause(): void
  onFailure(error: unknown): void
}

/** A request less its body. */
export interface OutgoingHead {
  readonly method: string
  /** As it goes out, the blank line included; one character per byte. */
  readonly text: string
  readonly hasBody: boolean
}

export interface ConnectionConfig {
  readonly maxHeaderSize: Bytes
  /** `undefined`: an answer may take any time. */
  readonly upstreamResponseTimeout: Milliseconds | undefined
}

/** One connection to the upstream, which carries one request at a time. It is dialled at once. */
export class UpstreamConnection implements AnswerReceiver {
  readonly #reader: AnswerReader
  readonly #dialled: Socket
  /** Set back by each request: one for the life of the connection costs less than one for each. */
  readonly #timer: NodeJS.Timeout | undefined
  readonly #onGone: () => void
  /** Once it is connected. */
  #socket: Socket | undefined
  /** What waits for that. */
  #head: OutgoingHead | undefined
  #receiver: RequestReceiver | undefined
  #isReused = false
  #isOver = false
  #isUploading = false
  #awaitsHead = false

  /** @param onGone it ended while no request was under way */
  constructor(connect: Connect, config: ConnectionConfig, onGone: () => void) {
    const limit = config.upstreamResponseTimeout
    this.#reader = new AnswerReader(config.maxHeaderSize, this)
    this.#onGone = onGone
    if (limit !== undefined) this.#timer = setTimeout(() => this.#fallSilent(), limit).unref()
    this.#dialled = connect(
      (error, socket) => {
        if (error !== null || socket === null) this.#fail(error)
        else if (this.#isOver) socket.destroy()
        else this.#begin(socket)
      },
      (bytes) => this.#read(bytes),
    )
  }

  /** Sends a request as soon as there is a connection; the one before must be over. */
  send(head: OutgoingHead, receiver: RequestReceiver): void {
    if (this.#isOver) {
      receiver.onFailure(closed())
      return
    }
    this.#receiver = receiver
    this.#head = head
    if (this.#socket !== undefined) this.#sendHead(this.#socket)
  }

  /**
   * Sends on a piece of the body. False: no more until `onDrain`.
   *
   * @param whenTaken called without an error once the system has taken in all of the bytes
   */
  write(bytes: Buffer, whenTaken: (error?: Error | null) => void): boolean {
    return this.#socket?.write(bytes, whenTaken) ?? false
  }

  /** Sends on what frames the body, one character per byte. */
  writeText(text: string): boolean {
    return this.#socket?.write(text, 'latin1') ?? false
  }

  /** What is written until the end of this turn's callbacks goes out as one. */
  cork(): void {
    if (this.#socket === undefined) return
    this.#socket.cork()
    process.nextTick(uncork, this.#socket)
  }

  /** The body is whole: now the upstream has its time to answer. */
  endBody(): void {
    this.#isUploading = false
    this.#timer?.refresh()
  }

  /** No more of the answer is read. */
  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  /** Whether a request was answered on it before this one. */
  isReused(): boolean {
    return this.#isReused
  }

  /** Whether the upstream has said anything since the request was sent. */
  hasHeard(): boolean {
    return this.#reader.hasHeard()
  }

  /** After a whole answer: for how long it may be idle and still be used; `0` for not at all. */
  idleLimit(): Milliseconds {
    return this.#isOver || this.#dialled.destroyed ? 0 : this.#reader.idleLimit()
  }

  /** Ends it, at whatever stage it is, without a word to the receiver. */
  destroy(): void {
    this.#isOver = true
    this.#receiver = undefined
    clearTimeout(this.#timer)
    this.#dialled.destroy()
  }

  onHead(head: AnswerHead): void {
    if (head.status >= 200) this.#awaitsHead = false
    this.#receiver?.onHead(head)
  }

  onData(data: Buffer): void {
    this.#receiver?.onData(data)
  }

  onEnd(last: Buffer): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#isReused = true
    receiver?.onEnd(last)
  }

  #begin(socket: Socket): void {
    this.#socket = socket
    socket
      .on('drain', () => this.#drain())
      .on('end', () => this.#end())
      .on('error', (error) => this.#fail(error))
      .on('close', () => this.#fail(closed()))
    if (this.#head !== undefined) this.#sendHead(socket)
  }

  #sendHead(socket: Socket): void {
    const head = this.#head
    if (head === undefined) return
    this.#head = undefined
    this.#isUploading = head.hasBody
    this.#awaitsHead = true
    this.#reader.expect(head.method)
    this.#timer?.refresh()
    // The head and what has come of the body go out as one.
    if (head.hasBody) this.cork()
    socket.write(head.text, 'latin1')
    this.#receiver?.onSent()
  }

  // Whatever the reader or the receiver throws ends the connection: nobody knows what would come next on it.
  #read(bytes: Buffer): void {
    try {
      this.#reader.read(bytes)
      this.#receiver?.onPause()
    } catch (error) {
      this.#fail(error)
    }
  }

  // An upstream slower than its client is nearly always behind: only one that takes nothing at all is silent.
  #drain(): void {
    if (this.#isUploading) this.#timer?.refresh()
    this.#receiver?.onDrain()
  }

  #end(): void {
    try {
      this.#reader.end()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    const receiver = this.#receiver
    this.destroy()
    if (receiver === undefined) this.#onGone()
    else receiver.onFailure(error)
  }

  #fallSilent(): void {
    if (!this.#awaitsHead) return
    // Whoever is still being sent a body, and takes it, has nothing to answer yet.
    if (this.#isUploading && this.#socket?.writableNeedDrain === false) this.#timer?.refresh()
    else this.#fail(new UpstreamFault('UPSTREAM_SILENT', 'upstream_response_timeout'))
  }
}

const closed = () => new UpstreamFault('UPSTREAM_CLOSED', 'no whole answer')

const uncork = (socket: Socket) => socket.uncork()
