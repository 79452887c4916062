import { connect } from 'node:net'
import { createAnswerReader } from '../load/answer.ts'
import { FORGED, requestHead } from '../load/requests.ts'
import type { Peer, RunningPeer } from '../peers/peer.ts'
import { type BenchKey, type ConformanceCase, conformanceCases, EMAIL, HOST } from '../tokens.ts'

/** Envoy says 403 for a wrong audience. */
const REFUSALS: readonly number[] = [401, 403]
const ANSWER_LIMIT = 10_000

interface Reply {
  readonly status: number
  readonly body: string
}

/** Sends one request on a connection of its own. */
function ask(port: number, request: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const take = createAnswerReader()
    const socket = connect({ port, host: '127.0.0.1' })
    const chunks: Buffer[] = []
    socket.setTimeout(ANSWER_LIMIT, () => socket.destroy(new Error('no answer in time')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed without an answer')))
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      // What cannot be read fails the peer; thrown from here it would leave all peers running.
      try {
        const answer = take(chunk)
        if (answer === undefined) return
        const text = Buffer.concat(chunks).toString('latin1')
        resolve({ status: answer.status, body: text.slice(text.indexOf('\r\n\r\n') + 4) })
      } catch (error) {
        reject(error)
      }
      socket.destroy()
    })
    socket.write(request)
  })
}

const askFor = (port: number, token: string) =>
  ask(port, requestHead({ method: 'GET', target: '/mirror', host: HOST, body: 0 }, token))

/** What is wrong with the head that the app got, or `undefined`. */
export function identityProblem(head: string): string | undefined {
  const emails = head
    .split('\r\n')
    .filter((line) => /^x-pomerium-claim-email:/i.test(line))
    .map((line) => line.slice(line.indexOf(':') + 1).trim())
  if (head.includes(FORGED)) return 'a forged identity header arrived'
  if (emails.length !== 1 || emails[0] !== EMAIL) return 'the verified e-mail did not arrive once'
  return undefined
}

/** What is wrong with the outcome of one case, or `undefined`. */
export function caseProblem(
  { name, passes }: Pick<ConformanceCase, 'name' | 'passes'>,
  { status, body }: Reply,
): string | undefined {
  if (passes) return status === 200 ? identityProblem(body) : `${name}: ${status} instead of 200`
  return REFUSALS.includes(status) ? undefined : `${name}: ${status} instead of 401`
}

/**
 * Puts every case to a verifying peer. What is not compared is not measured: a peer that is quicker because it does
 * not look is no peer.
 *
 * @throws Error with all that is wrong, less what the peer declares as gaps; and on a declared gap that is none.
 */
export async function checkConformance(
  peer: Peer,
  { port }: Pick<RunningPeer, 'port'>,
  key: BenchKey,
): Promise<void> {
  if (peer.verifies === 'none') return
  const gaps = peer.gaps ?? []
  const problems: string[] = []
  for (const each of conformanceCases(key)) {
    const found = caseProblem(each, await askFor(port, each.token))
    const isGap = gaps.includes(each.name)
    if (found !== undefined && !isGap) problems.push(found)
    if (found === undefined && isGap) problems.push(`${each.name}: declared as a gap, and is none`)
  }
  if (problems.length > 0) throw new Error(`${peer.name} is no equal: ${problems.join('; ')}`)
}
