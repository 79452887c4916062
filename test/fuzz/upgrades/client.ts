import { connect } from 'node:net'
import { waitTurns } from '../connections/client.ts'
import type { Scenario } from './scenario.ts'
import { lengthOfMore } from './scripted-upstream.ts'

/** Longest wait for what should come, milliseconds. */
const PATIENCE = 2_000

const EMPTY_LINE = '\r\n\r\n'

/** Lives through one scenario. Resolves with all that came back, Latin-1, when the connection is over. */
export function live(port: number, scenario: Scenario): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    let text = ''
    let hasWritten = false
    let isOpen = false
    const timer = setTimeout(() => socket.resetAndDestroy(), PATIENCE)
    const look = () => {
      // The answer may come before the last of the early bytes were written: what is later goes behind them.
      if (hasWritten && !isOpen && tunnelStart(text) !== undefined) {
        isOpen = true
        socket.write(scenario.later, 'latin1')
      }
      if (scenario.ending === 'wait' && isComplete(text, scenario)) socket.resetAndDestroy()
    }
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      look()
    })
    socket.once('end', () => socket.resetAndDestroy())
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
    socket.once('connect', async () => {
      for (const bytes of scenario.writes) {
        if (!socket.writable) return
        socket.write(bytes, 'latin1')
        await waitTurns(scenario.pause)
      }
      hasWritten = true
      look()
      await waitTurns(scenario.turns)
      if (scenario.ending === 'end') socket.end()
      else if (scenario.ending === 'reset' || scenario.behaviour === 'nothing')
        socket.resetAndDestroy()
    })
  })
}

/** Where the bytes of the tunnel begin; `undefined` where there is none. */
export function tunnelStart(text: string): number | undefined {
  const at = text.indexOf('HTTP/1.1 101 ')
  const isFirst = at === 0 || text.slice(0, Math.max(at, 0)).startsWith('HTTP/1.1 103 ')
  const end = text.indexOf(EMPTY_LINE, at)
  return at === -1 || !isFirst || end === -1 ? undefined : end + EMPTY_LINE.length
}

function isComplete(text: string, { ask, early, later, behaviour }: Scenario): boolean {
  // A plain request may leave its connection open for the next.
  if (ask === 'plain') return /^HTTP\/1\.1 [2-9]/m.test(text) && text.includes(EMPTY_LINE)
  const start = tunnelStart(text)
  if (start === undefined || behaviour === 'switch-and-end') return false
  return text.length - start >= lengthOfMore(behaviour) + early.length + later.length
}
