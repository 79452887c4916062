import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Milliseconds } from './config/config.ts'
import type { Tunnel } from './proxy/splice.ts'

export interface DrainOptions {
  readonly server: Server
  /** Every open connection. */
  readonly connections: ReadonlySet<Socket>
  readonly tunnels: ReadonlySet<Tunnel>
  /** Between "not ready" and the end of accepting: routers notice the first and stop sending. */
  readonly delay: Milliseconds
  /** For everything, the delay included; then what is left is cut. */
  readonly timeout: Milliseconds
  /** Called when no more connections are accepted. */
  readonly onStop: () => void
}

/** RFC 6455 §7.4.1: going away. */
const GOING_AWAY = 1001

/** Resolves when the last connection has ended, or `timeout` is over. */
export async function drainServer(options: DrainOptions): Promise<void> {
  const { server, connections, tunnels, delay, timeout } = options
  await wait(Math.min(delay, timeout))
  options.onStop()
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  // Node counts a connection that has never sent anything as one with a request under way.
  for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
  for (const tunnel of tunnels) tunnel.close(GOING_AWAY)
  const deadline = new AbortController()
  const cut = wait(Math.max(timeout - delay, 0), undefined, { signal: deadline.signal }).then(
    () => server.closeAllConnections(),
    () => undefined,
  )
  await Promise.race([closed, cut])
  deadline.abort()
}
