import type { Milliseconds } from '../config/config.ts'

/** Refusals in a row that a connection may get at full speed. */
const FREE_REFUSALS = 8
/** Then each further request of it is looked at this much later: at most 50 a second and connection. */
const PAUSE: Milliseconds = 20

/**
 * Lets connections that bring nothing but refusals wait for those of others: a refusal is answered sooner than a request
 * that goes upstream, so that a flood of bad requests would get most of the turns. One good request makes up for all.
 */
export interface Patience {
  /** How long the next request of the connection must wait. `isForwarding`: whether anything is forwarded just now. */
  pauseFor(connection: object, isForwarding: boolean): Milliseconds
  /** To be called at the end of each request. */
  note(connection: object, decision: 'forward' | 'reject'): void
}

export function createPatience(): Patience {
  const refusals = new WeakMap<object, number>()
  const refusalsOf = (connection: object) => refusals.get(connection) ?? 0
  return {
    pauseFor: (connection, isForwarding) =>
      isForwarding && refusalsOf(connection) >= FREE_REFUSALS ? PAUSE : 0,
    note(connection, decision) {
      if (decision === 'reject') refusals.set(connection, refusalsOf(connection) + 1)
      else refusals.delete(connection)
    },
  }
}
