import type { Socket } from 'node:net'
import type { Milliseconds } from '../config/config.ts'
import type { Roster } from './roster.ts'

/** How often in a limit it is looked. */
const LOOKS = 4

/** Connections that are ended in one turn of the event loop: what each holds is let go at once, and others wait for it. */
const ENDED_IN_A_TURN = 20

/**
 * Ends each connection whose client has taken in nothing of what waits for it for `limit` (up to a quarter more), whatever
 * it sends meanwhile. Silence is right where nothing waits: before an answer, or before the next event of a stream.
 *
 * @returns a function that ends the watch
 */
export function endSlowReaders(
  connections: Roster<Socket>,
  limit: Milliseconds,
  now: () => Milliseconds,
): () => void {
  const seen = new WeakMap<Socket, { readonly taken: number; readonly since: Milliseconds }>()
  const late: Socket[] = []

  const look = (socket: Socket) => {
    const waiting = socket.writableLength
    const taken = socket.bytesWritten - waiting
    const last = seen.get(socket)
    if (waiting === 0 || last?.taken !== taken) seen.set(socket, { taken, since: now() })
    else if (now() - last.since >= limit) late.push(socket)
  }
  const endSome = () => {
    for (const socket of late.splice(0, ENDED_IN_A_TURN)) socket.destroy()
    if (late.length > 0) setImmediate(endSome)
  }
  const timer = setInterval(() => {
    late.length = 0
    for (const socket of connections) look(socket)
    endSome()
  }, limit / LOOKS)
  timer.unref()
  return () => clearInterval(timer)
}
