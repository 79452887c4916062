import type { Socket } from 'node:net'
import type { Milliseconds } from '../config/config.ts'
import { createValve } from './valve.ts'

/**
 * One client connection. Its requests are handled one after the other, so that answers keep the order of the requests
 * whoever writes them, and a client that pipelines costs one request at a time.
 */
export interface Connection {
  /** Runs `task` when everything before it has been answered; the task says that it is done by calling `next`. */
  enqueue(task: (next: () => void) => void): void
  /** Puts `task` in the place of the one that waits last. */
  replaceNewest(task: (next: () => void) => void): void
  /** Whether a request is under way or waiting. */
  isBusy(): boolean
  /** Whether a request waits behind the one under way. */
  hasWaiting(): boolean
  /** Whether nothing is under way, not even a part of a head. */
  isResting(): boolean
  /** Nothing that comes from now on is looked at; what waits still gets its turn. */
  seal(): void
  isSealed(): boolean
  /** The task under way is the last: what waits, and whatever still comes, is never looked at. */
  finish(): void
  /** Reads again, whatever waits. */
  readOn(): void
}

/** Requests of one connection that may wait parsed; beyond that no more bytes are read from it. */
const MAX_WAITING = 16

/** How long, and for how many bytes, a client that is still sending is listened to after its last answer. */
const LINGER_TIME: Milliseconds = 1_000
const LINGER_BYTES = 1024 * 1024

const noop = () => undefined

/** On the socket itself: a map with weak keys is looked up slowly, and costs each collection a look at all of them. */
const CONNECTION = Symbol('connection')

type Carrier = Socket & { [CONNECTION]?: Connection }

/** The connection of a socket. The first call, at its birth, gives the socket its error listener. */
export function connectionOf(socket: Carrier): Connection {
  const known = socket[CONNECTION]
  if (known !== undefined) return known
  socket.on('error', noop)
  const connection = createConnection(socket)
  socket[CONNECTION] = connection
  return connection
}

function createConnection(socket: Socket): Connection {
  const waiting: ((next: () => void) => void)[] = []
  const valve = createValve(socket)
  let busy = false
  let sealed = false
  let finished = false
  /** When the last answer was complete. What came since then begins another request. */
  let bytesAtRest = 0

  const run = (task: (next: () => void) => void) => {
    busy = true
    let called = false
    task(() => {
      if (called) return
      called = true
      advance()
    })
  }
  const advance = () => {
    busy = false
    const task = finished || socket.destroyed ? undefined : waiting.shift()
    if (waiting.length < MAX_WAITING / 2) valve.open()
    if (task !== undefined) run(task)
    else bytesAtRest = socket.bytesRead
  }
  socket.once('close', () => {
    waiting.length = 0
  })

  return {
    enqueue(task) {
      if (finished || sealed) return valve.close()
      if (!busy) return run(task)
      waiting.push(task)
      if (waiting.length >= MAX_WAITING) valve.close()
    },
    replaceNewest(task) {
      if (waiting.pop() !== undefined) waiting.push(task)
    },
    isBusy: () => busy || finished || sealed || waiting.length > 0,
    hasWaiting: () => waiting.length > 0,
    isResting: () => !busy && !finished && !sealed && socket.bytesRead === bytesAtRest,
    seal() {
      sealed = true
    },
    isSealed: () => sealed,
    finish() {
      finished = true
      waiting.length = 0
    },
    readOn: valve.open,
  }
}

/**
 * Ends our side and reads what the client is still sending for a moment. A socket closed with unread bytes would be
 * reset, and the reset can overtake the answer (RFC 9112 §9.6).
 */
export function linger(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_TIME)
  let left = LINGER_BYTES
  socket.removeAllListeners('data')
  socket.on('data', (chunk) => {
    left -= chunk.length
    if (left < 0) socket.pause()
  })
  socket.once('end', () => socket.destroy())
  socket.once('close', () => clearTimeout(timer))
  socket.end()
  connectionOf(socket).readOn()
  socket.resume()
}

/** Makes Node linger where it would close a connection right after its last answer. */
export function closeGently(socket: Socket): void {
  socket.destroySoon = () => linger(socket)
}
