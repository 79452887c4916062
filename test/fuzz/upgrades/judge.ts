import { tunnelStart } from './client.ts'
import type { Scenario } from './scenario.ts'
import type { Seen } from './scripted-upstream.ts'

export interface Lived {
  readonly index: number
  readonly scenario: Scenario
  readonly subject: string
  readonly received: string
}

/** What is wrong with what both sides saw of one connection. */
export function judgeUpgrade(
  { scenario, subject, received }: Lived,
  seen: readonly Seen[],
): string | undefined {
  const { ask, early, later } = scenario
  const start = tunnelStart(received)
  if (seen.length > 1) return 'reached the upstream twice'
  const [own] = seen
  if (own === undefined) return start === undefined ? undefined : 'a tunnel to nowhere'
  if (ask !== 'good' && ask !== 'plain')
    return `a refused handshake reached the upstream: ${own.head}`
  const head = faultOfHead(own.head, ask, subject)
  if (head !== undefined) return `${head}: ${own.head}`
  if (own.before !== '') return 'bytes behind the handshake came before the answer'
  if (ask === 'plain' || own.sent === undefined) {
    if (own.after !== '') return 'bytes behind a handshake that opened nothing'
    return start === undefined ? undefined : 'a tunnel without a 101 of the upstream'
  }
  if (!(early + later).startsWith(own.after)) return 'other bytes than were sent'
  if (start === undefined) return undefined
  const back = received.slice(start)
  if (!own.sent.startsWith(back)) return 'other bytes back than were sent'
  return isCalm(scenario) && back !== own.sent ? 'a tunnel that lost bytes' : undefined
}

/** Nobody cuts anything off: every byte is to arrive. */
const isCalm = ({ ending, behaviour }: Scenario): boolean =>
  ending === 'wait' &&
  ['switch', 'switch-with-more', 'switch-after-info', 'switch-in-pieces'].includes(behaviour)

function faultOfHead(head: string, ask: string, subject: string): string | undefined {
  const fields = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.toLowerCase())
  const names = fields.map((line) => line.slice(0, line.indexOf(':')).replace(/[^a-z0-9]/g, '-'))
  const subjects = fields.filter((_, i) => names[i] === 'x-pomerium-claim-sub')
  if (subjects.length !== 1 || subjects[0] !== `x-pomerium-claim-sub: ${subject}`)
    return 'not its identity'
  if (names.includes('x-pomerium-jwt-assertion')) return 'the assertion is passed on'
  const upgrades = fields.filter((line) => line.startsWith('upgrade:'))
  const isRight = ask === 'plain' ? upgrades.length === 0 : upgrades.join() === 'upgrade: websocket'
  return isRight ? undefined : 'not the upgrade that was decided'
}
