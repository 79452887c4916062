import type { Socket } from 'node:net'
import { Client } from 'undici'
import type { Config, Milliseconds } from '../config/config.ts'
import type { Connect } from './connector.ts'
import { passOverContinue } from './continue.ts'
import { type RequestBytes, writeOwnHeads } from './own-head.ts'

/** One connection to the upstream, lent to one request at a time. */
export interface Lease {
  readonly client: Client
  /** Whether a request was answered on this connection before. */
  readonly isReused: () => boolean
  /** Whether the upstream has said anything since the request was sent. */
  readonly hasHeard: () => boolean
  /** A request is being sent: its head is `bytes`, and what comes from now on is its answer. */
  begin(bytes: RequestBytes): void
  /** Gives the connection back after a whole answer. */
  release(): void
  /** Ends the connection, at whatever stage it is. */
  destroy(): void
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

/** Below the shortest idle limit among common app servers (gunicorn: 2 s is the default). */
const IDLE_TIMEOUT: Milliseconds = 4_000

interface Slot {
  readonly client: Client
  socket: Socket | undefined
  begin: (bytes: RequestBytes) => void
  hasHeard: () => boolean
  answered: boolean
  idleSince: Milliseconds
}

type PoolConfig = Pick<Config, 'upstreamResponseTimeout' | 'maxHeaderSize'>

/**
 * Keep-alive connections to one upstream, the most recently used first. There are never more connections than requests
 * under way plus those idle for less than 4 s, so `max_connections` bounds them.
 *
 * One undici client per connection, since only then is it known whether a failed request was on a re-used connection.
 */
export function createUpstreamPool(
  connect: Connect,
  config: PoolConfig,
  now: () => Milliseconds,
): UpstreamPool {
  const idle: Slot[] = []
  let closed = false

  const open = (): Slot => {
    const slot = openSlot(connect, config)
    slot.client.on('disconnect', () => {
      slot.socket = undefined
      const index = idle.indexOf(slot)
      if (index === -1) return
      idle.splice(index, 1)
      discard(slot)
    })
    return slot
  }

  const release = (slot: Slot) => {
    if (closed || slot.socket === undefined || slot.socket.destroyed) return discard(slot)
    slot.answered = true
    slot.idleSince = now()
    idle.push(slot)
  }

  const leaseOf = (slot: Slot): Lease => ({
    client: slot.client,
    isReused: () => slot.answered,
    hasHeard: () => slot.hasHeard(),
    begin: (bytes) => slot.begin(bytes),
    release: () => release(slot),
    destroy: () => discard(slot),
  })

  return {
    lease(maxIdle) {
      const newest = idle.at(-1)
      if (newest === undefined || now() - newest.idleSince >= maxIdle) return leaseOf(open())
      idle.pop()
      return leaseOf(newest)
    },
    close() {
      closed = true
      for (const slot of idle.splice(0)) discard(slot)
    },
  }
}

function openSlot(connect: Connect, config: PoolConfig): Slot {
  const client = new Client('http://upstream', {
    connect: (_options, callback) => {
      connect((error, socket) => {
        if (error !== null || socket === null)
          return callback(error ?? new Error('not connected'), null)
        slot.socket = socket
        const { expectAnswer, hasHeard } = passOverContinue(socket)
        const { expectHead } = writeOwnHeads(socket)
        slot.begin = (bytes) => {
          expectHead(bytes)
          expectAnswer()
        }
        slot.hasHeard = hasHeard
        slot.answered = false
        callback(null, socket)
      })
    },
    pipelining: 1,
    headersTimeout: config.upstreamResponseTimeout ?? 0,
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_TIMEOUT,
    // Also for an upstream that promises longer: it may be restarted.
    keepAliveMaxTimeout: IDLE_TIMEOUT,
    maxHeaderSize: config.maxHeaderSize,
  })
  const slot: Slot = {
    client,
    socket: undefined,
    begin: () => undefined,
    hasHeard: () => false,
    answered: false,
    idleSince: 0,
  }
  return slot
}

function discard({ client }: { readonly client: Client }): void {
  if (!client.destroyed) client.destroy().catch(() => undefined)
}
