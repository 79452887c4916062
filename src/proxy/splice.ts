import type { Socket } from 'node:net'
import type { Milliseconds } from '../config/config.ts'
import type { Exchange } from '../exchange.ts'
import { closeFrame, createFrameFollower } from './frames.ts'

/** An open WebSocket between a client and the upstream. */
export interface Tunnel {
  /** Ends both sides; the client sees a close frame with `status` where one fits between two frames. */
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
  const frames = createFrameFollower()
  const pair = joinEnds(client, upstream)
  let closingWith: number | undefined

  const finishClose = (status: number) => {
    client.end(closeFrame(status))
    upstream.destroy()
  }
  const toClient = (chunk: Buffer) => {
    exchange.bytes += chunk.length
    frames.follow(chunk)
    if (!client.write(chunk)) upstream.pause()
    if (closingWith !== undefined && frames.isAtBoundary()) finishClose(closingWith)
  }
  const toUpstream = (chunk: Buffer) => {
    exchange.bytes += chunk.length
    if (!upstream.write(chunk)) client.pause()
  }
  if (head.length > 0) toClient(head)
  if (early.length > 0) toUpstream(early)
  upstream
    .on('drain', () => client.resume())
    .on('data', toClient)
    .resume()
  client
    .on('drain', () => upstream.resume())
    .on('data', toUpstream)
    .resume()

  return {
    close(status) {
      if (closingWith !== undefined || client.destroyed) return
      closingWith = status
      pair.endWithin(BOUNDARY_WAIT)
      if (frames.isAtBoundary()) finishClose(status)
    },
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
