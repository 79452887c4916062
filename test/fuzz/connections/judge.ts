import type { ReadRequest } from './reading.ts'
import type { Arrival } from './recording-upstream.ts'
import type { Pass } from './requests.ts'

/** What one connection sent, read strictly, and what came of it. */
export interface Visited {
  readonly index: number
  readonly text: string
  readonly requests: readonly ReadRequest[]
  readonly passes: readonly Pass[]
  readonly statuses: readonly number[]
  readonly isUntouched: boolean
}

const IDENTITY = 'x-pomerium-claim-'
const ASSERTION = 'x-pomerium-jwt-assertion'
const SUBJECT = 'x-pomerium-claim-sub'

/** Who the upstream was told the request is from; empty when nobody. */
export const subjectOf = ({ headers }: Arrival): string =>
  headers.find(([name]) => name === SUBJECT)?.[1] ?? ''

/** What is wrong with a request on its own, whatever was sent. */
export function faultOfArrival({ headers }: Arrival): string | undefined {
  const folded = headers.map(([name]) => name.replace(/[^a-z0-9]/g, '-'))
  const identity = folded.filter((name) => /^x-pomerium(-|$)/.test(name))
  if (!identity.every((name) => name.startsWith(IDENTITY))) return 'a reserved field'
  if (new Set(identity).size !== identity.length) return 'an identity header twice'
  if (folded.filter((name) => name === 'host').length !== 1) return 'not one Host'
  const framing = folded.filter((name) => /^(transfer-encoding|content-length)$/.test(name))
  if (framing.length > 1) return 'more than one frame'
  return folded.some((name) => /^(te|trailer|expect|keep-alive)$/.test(name))
    ? 'a field of the hop'
    : undefined
}

/** A forward decision as the log tells it. */
export const decisionOf = ({ jti }: Pass, { target }: ReadRequest): string =>
  `${jti} ${target.split('?', 1)}`

/**
 * Holds what arrived of one connection against what was sent on it: each arrival must be a request of its own, whole
 * only when that is, under the subject of its one assertion, and with a decision of its own.
 */
export function judgeVisit(
  { requests, passes }: Visited,
  arrivals: readonly Arrival[],
  decisions: Map<string, number>,
): string | undefined {
  const left = [...requests]
  for (const arrival of arrivals) {
    const pass = passes.find(({ sub }) => sub === subjectOf(arrival))
    if (pass === undefined) return `for nobody: ${show(arrival)}`
    const at = left.findIndex((request) => isSame(request, arrival, pass))
    if (at === -1) return `not what was sent: ${show(arrival)}`
    left.splice(at, 1)
    const decision = decisionOf(pass, arrival)
    const times = decisions.get(decision) ?? 0
    if (times === 0) return `without a decision: ${show(arrival)}`
    decisions.set(decision, times - 1)
  }
  return undefined
}

function isSame(sent: ReadRequest, arrival: Arrival, { assertion }: Pass): boolean {
  const assertions = sent.headers.filter(([name]) => name.replace(/[^a-z0-9]/g, '-') === ASSERTION)
  if (assertions.length !== 1 || assertions[0]?.[1] !== assertion) return false
  if (sent.method !== arrival.method || sent.target !== arrival.target) return false
  return arrival.isWhole
    ? sent.isWhole && sent.body === arrival.body
    : sent.body.startsWith(arrival.body)
}

const show = (arrival: Arrival): string => JSON.stringify(arrival)

const EXPECTED = new Set([200, 400, 401, 405, 408, 417, 431, 501, 503, 505])

/** What is wrong with the answers: a fault of ours, or good requests on an untouched connection that were not served. */
export function judgeAnswers({
  statuses,
  requests,
  passes,
  isUntouched,
}: Visited): string | undefined {
  const odd = statuses.find((status) => !EXPECTED.has(status))
  if (odd !== undefined) return `answered ${odd}`
  if (!isUntouched || statuses.includes(503)) return undefined
  const good = new Set(passes.map(({ assertion }) => assertion))
  const wanted = requests.map(({ headers }) =>
    headers.some(([name, value]) => name === ASSERTION && good.has(value)) ? 200 : 401,
  )
  const isSameSoFar = statuses.every((status, i) => status === wanted[i])
  const isAll = statuses.length === wanted.length || requests.some(mayBeLast)
  return (isSameSoFar || requests.some(isUpgrade)) && isAll
    ? undefined
    : `answered ${statuses}, wanted ${wanted}`
}

const isUpgrade = ({ headers }: ReadRequest): boolean =>
  headers.some(([name]) => name === 'upgrade')

/** Whether the connection may end after this request: it says so, or a refusal leaves its body unread. */
function mayBeLast({ headers, body }: ReadRequest): boolean {
  const isLast = ([name, value]: readonly [string, string]) =>
    ['upgrade', 'expect', 'transfer-encoding'].includes(name) ||
    (name === 'connection' && value === 'close')
  return body !== '' || headers.some(isLast)
}
