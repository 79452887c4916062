import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

export interface Visit {
  readonly port: number
  /** What is written, with some turns of the loop after each. */
  readonly writes: readonly string[]
  /** How many final answers to wait for; the connection is then reset. */
  readonly answers: number
  /** Whether the other side is expected to close by itself after these. */
  readonly isClosing: boolean
  /** Longest wait for the next answer, milliseconds. */
  readonly patience: number
}

/**
 * Opens one connection, sends, waits for what is expected. Ends with a reset, so that no port stays taken for a minute.
 * Resolves with the statuses of the answers.
 */
export function visit({ port, writes, ...expected }: Visit): Promise<number[]> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    let text = ''
    let statuses: number[] = []
    const timer = setTimeout(() => socket.resetAndDestroy(), expected.patience)
    const look = () => {
      statuses = finalStatuses(text)
      const missing = expected.answers + (expected.isClosing ? 1 : 0) - statuses.length
      if (missing <= 0) socket.resetAndDestroy()
      else timer.refresh()
    }
    socket.on('error', () => undefined)
    socket.once('end', () => socket.resetAndDestroy())
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      look()
    })
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(statuses)
    })
    socket.once('connect', async () => {
      for (const bytes of writes) {
        if (!socket.writable) return
        socket.write(bytes, 'latin1')
        if (writes.length > 1) await waitTurns(TURNS_BETWEEN)
      }
      if (expected.answers === 0 && !expected.isClosing) socket.resetAndDestroy()
    })
  })
}

/** Until what was written has been read where both sides are in one process: one turn writes, the next reads. */
const TURNS_BETWEEN = 4

export async function waitTurns(turns: number): Promise<void> {
  for (let left = turns; left > 0; left--) await turn()
}

const finalStatuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 ([2-9]\d\d) /g)].map(([, status]) => Number(status))
