import type { Socket } from 'node:net'
import type { Milliseconds } from '../config/config.ts'
import type { Exchange } from '../exchange.ts'
import { closeFrame, FrameFollower, maskedCloseFrame } from './frames.ts'

/** An open WebSocket between a client and the upstream. */
export interface Tunnel {
  /** Ends both sides; each sees a close frame with `status` where one fits between two frames. */
  close(status: number): void
}

export interface SpliceOptions {
  readonly client: Socket
  readonly upstream: Socket
  /** What the client sent before the tunnel was open. */
  readonly early: Buffer
  /** What the upstream sent with its 101. */
  readonly head: Buffer
  readonly exchange: Exchange
}

/** After one side has ended, how long the other may go on. */
const HALF_OPEN_LIMIT: Milliseconds = 30_000
/** How long a close waits for the end of the frame that is under way, and then for the other side's end. */
const BOUNDARY_WAIT: Milliseconds = 1_000

const noop = () => undefined

/** Moves bytes both ways with back-pressure. When either side is gone, so is the other. */
export function splice({ client, upstream, early, head, exchange }: SpliceOptions): Tunnel {
  const pair = joinEnds(client, upstream)
  const down = new Lane({ from: upstream, to: client, goodbye: closeFrame, exchange })
  const up = new Lane({ from: client, to: upstream, goodbye: maskedCloseFrame, exchange })
  if (head.length > 0) down.carry(head)
  if (early.length > 0) up.carry(early)
  upstream
    .on('drain', () => client.resume())
    .on('data', (chunk: Buffer) => down.carry(chunk))
    .resume()
  client
    .on('drain', () => upstream.resume())
    .on('data', (chunk: Buffer) => up.carry(chunk))
    .resume()

  return {
    close(status) {
      if (client.destroyed) return
      pair.endWithin(BOUNDARY_WAIT)
      down.close(status)
      up.close(status)
    },
  }
}

interface LaneOptions {
  readonly from: Socket
  readonly to: Socket
  readonly goodbye: (status: number) => Buffer
  readonly exchange: Exchange
}

/** One direction. After its close frame it carries nothing more. */
class Lane {
  readonly #options: LaneOptions
  readonly #frames = new FrameFollower()
  #closingWith: number | undefined
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  carry(chunk: Buffer): void {
    if (this.#isClosed) return
    const { from, to, exchange } = this.#options
    exchange.bytes += chunk.length
    this.#frames.follow(chunk)
    if (!to.write(chunk)) from.pause()
    this.#closeBetweenFrames()
  }

  close(status: number): void {
    this.#closingWith ??= status
    this.#closeBetweenFrames()
  }

  #closeBetweenFrames(): void {
    if (this.#closingWith === undefined || this.#isClosed || !this.#frames.isAtBoundary()) return
    this.#isClosed = true
    this.#options.to.end(this.#options.goodbye(this.#closingWith))
  }
}

/** Ends two sockets together, in bounded time; what one sent before its end still reaches the other. */
function joinEnds(client: Socket, upstream: Socket) {
  let timer: NodeJS.Timeout | undefined
  let shortest = Number.POSITIVE_INFINITY
  const end = () => {
    clearTimeout(timer)
    client.destroy()
    upstream.destroy()
  }
  const endWithin = (limit: Milliseconds) => {
    if (limit >= shortest) return
    shortest = limit
    clearTimeout(timer)
    timer = setTimeout(end, limit)
    timer.unref()
  }
  const follow = (other: Socket) => ({
    end: () => {
      other.end()
      endWithin(HALF_OPEN_LIMIT)
    },
    close: (hadError: boolean) => {
      if (hadError || other.destroyed) return end()
      // A socket closed with unread bytes would be reset, and the reset can overtake what was sent last.
      other.removeAllListeners('data').on('data', noop).resume()
      other.end(() => endWithin(BOUNDARY_WAIT))
      endWithin(HALF_OPEN_LIMIT)
    },
  })
  const toUpstream = follow(upstream)
  const toClient = follow(client)
  client.once('end', toUpstream.end).once('close', toUpstream.close)
  upstream.on('error', noop).once('end', toClient.end).once('close', toClient.close)
  return { endWithin }
}
