import type { Server } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import type { Milliseconds } from './config/config.ts'
import { connectionOf } from './proxy/connection.ts'
import type { Roster } from './proxy/roster.ts'
import type { Tunnel } from './proxy/splice.ts'

export interface DrainOptions {
  readonly server: Server
  /** Every open connection. */
  readonly connections: Roster<Socket>
  readonly tunnels: Roster<Tunnel>
  /** Between "not ready" and the end of accepting: routers notice the first and stop sending. */
  readonly delay: Milliseconds
  /** For everything, the delay included; then what is left is cut. */
  readonly timeout: Milliseconds
  /** Called when no more connections are accepted. */
  readonly onStop: () => void
}

/** RFC 6455 §7.4.1: going away. */
const GOING_AWAY = 1001

/**
 * How long a connection must have been silent to be closed. One in use brings its next request sooner, and is told
 * with the answer not to send another: closed at once, it could lose the request that is just on its way.
 */
const SILENCE: Milliseconds = 500
const LOOK_PERIOD: Milliseconds = 50

/**
 * Resolves when the last connection has ended, or `timeout` is over, with the number of connections that were cut then.
 * From its call on every answer must be the last one of its connection.
 */
export async function drainServer(options: DrainOptions): Promise<number> {
  const { server, connections, tunnels, delay, timeout } = options
  const watch = watchSilence(connections)
  await wait(Math.min(delay, timeout))
  await acceptWaiting(server)
  options.onStop()
  const closed = stopAccepting(server).then(() => 0)
  watch.closeSilent()
  for (const tunnel of tunnels) tunnel.close(GOING_AWAY)
  const deadline = new AbortController()
  const { signal } = deadline
  const cut = wait(Math.max(timeout - delay, 0), undefined, { signal }).then(
    () => cutAll(connections),
    () => 0,
  )
  const left = await Promise.race([closed, cut])
  deadline.abort()
  watch.end()
  return left
}

/** For how long the ends of the last exchanges are waited for. */
const LAST_ENDS: Milliseconds = 1_000

/**
 * Resolves when every exchange has ended, at the latest after a second. That is some turns after the end of its connection,
 * and its lines are written then.
 *
 * @param inFlight how many have not
 * @param now monotonic
 */
export async function untilEnded(
  inFlight: () => number,
  now: () => Milliseconds = () => performance.now(),
): Promise<void> {
  const deadline = now() + LAST_ENDS
  while (inFlight() > 0 && now() < deadline) await nextTurn()
}

/** Node accepts one connection in a turn; under a flood of them this ends it. */
const MOST_TURNS = 256

/** Whoever the system has connected, but nobody has accepted yet, would be reset: turns until nobody comes any more. */
async function acceptWaiting(server: Server): Promise<void> {
  let comes = true
  const note = () => {
    comes = true
  }
  server.on('connection', note)
  for (let turns = 0; comes && turns < MOST_TURNS; turns += 2) {
    comes = false
    await nextTurn()
    await nextTurn()
  }
  server.off('connection', note)
}

/** Not `http.Server.close`: it ends idle connections at once, and no longer looks after slow heads. */
function stopAccepting(server: Server): Promise<void> {
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve())
  })
}

function cutAll(connections: Roster<Socket>): number {
  const { size } = connections
  for (const socket of connections) socket.destroy()
  return size
}

/** Looks at every connection again and again, and when told to, closes those that are silent between two requests. */
function watchSilence(connections: Roster<Socket>) {
  const seen = new WeakMap<Socket, { bytes: number; looks: number }>()
  let isClosing = false

  const isSilent = (socket: Socket): boolean => {
    const { bytesRead: bytes } = socket
    const last = seen.get(socket)
    const isResting = connectionOf(socket).isResting()
    const looks = isResting && last?.bytes === bytes ? last.looks + 1 : 0
    seen.set(socket, { bytes, looks })
    return looks * LOOK_PERIOD >= SILENCE
  }
  const look = () => {
    for (const socket of connections) if (isSilent(socket) && isClosing) closeResting(socket)
  }
  const timer = setInterval(look, LOOK_PERIOD)
  look()
  return {
    closeSilent() {
      isClosing = true
      look()
    },
    end: () => clearInterval(timer),
  }
}

/** After the next reading from the network: a request that has arrived by then is answered. */
function closeResting(socket: Socket): void {
  setImmediate(() => {
    if (connectionOf(socket).isResting()) socket.destroy()
  })
}
