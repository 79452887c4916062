import type { Milliseconds } from '../config/config.ts'
import type { Connect } from './connector.ts'
import { MAX_IDLE } from './parse-answer.ts'
import { type ConnectionConfig, UpstreamConnection } from './upstream-connection.ts'

/** A connection that was taken from the pool, for one request. */
export interface Lease {
  readonly connection: UpstreamConnection
  /** Gives the connection back after a whole answer. */
  release(): void
}

export interface UpstreamPool {
  /**
   * A connection that was used less than `maxIdle` ago, or a new one.
   * A request that must not be sent twice asks for a fresh one, since an idle one may be closing just now.
   */
  lease(maxIdle: Milliseconds): Lease
  /** Ends the idle connections; leased ones end when they are given back. */
  close(): void
}

interface Slot extends Lease {
  idleSince: Milliseconds
}

/**
 * Keep-alive connections to one upstream, the most recently used first. There are never more connections than requests
 * under way plus those idle for less than 5 s, so `max_connections` bounds them.
 */
export function createUpstreamPool(
  connect: Connect,
  config: ConnectionConfig,
  now: () => Milliseconds,
): UpstreamPool {
  /** In the order in which they became idle. */
  const idle: Slot[] = []
  let closed = false
  let sweeping: NodeJS.Timeout | undefined

  const isUsable = ({ connection, idleSince }: Slot, maxIdle: Milliseconds): boolean =>
    now() - idleSince < Math.min(maxIdle, connection.idleLimit())

  const sweep = () => {
    sweeping = undefined
    for (const slot of idle.splice(0)) {
      if (isUsable(slot, MAX_IDLE)) idle.push(slot)
      else slot.connection.destroy()
    }
    watch()
  }
  const watch = () => {
    if (idle.length > 0) sweeping ??= setTimeout(sweep, SWEEP_INTERVAL).unref()
  }
  const release = (slot: Slot) => {
    if (closed || slot.connection.idleLimit() === 0) return slot.connection.destroy()
    slot.idleSince = now()
    idle.push(slot)
    watch()
  }
  const open = (): Slot => {
    const slot: Slot = {
      connection: new UpstreamConnection(connect, config, () => {
        const index = idle.indexOf(slot)
        if (index !== -1) idle.splice(index, 1)
      }),
      release: () => release(slot),
      idleSince: 0,
    }
    return slot
  }

  return {
    lease(maxIdle) {
      const newest = idle.at(-1)
      if (newest === undefined || !isUsable(newest, maxIdle)) return open()
      idle.pop()
      return newest
    },
    close() {
      closed = true
      clearTimeout(sweeping)
      for (const { connection } of idle.splice(0)) connection.destroy()
    },
  }
}

/** Idle connections are looked through so often. */
const SWEEP_INTERVAL: Milliseconds = 1_000
