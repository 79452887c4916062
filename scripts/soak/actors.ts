import { once } from 'node:events'
import { WebSocket } from 'ws'
import { requestBytes } from '../../test/helpers/claimgate.ts'
import type { Issuer } from '../../test/helpers/issuer.ts'
import {
  type KeepAliveClient,
  keepAliveClient,
  LostError,
  type Reply,
} from '../../test/helpers/keep-alive-client.ts'
import { type Program, pause } from '../../test/helpers/program.ts'
import { badRequest } from './bad.ts'
import type { Ledger } from './ledger.ts'

export interface Stage {
  readonly program: Program
  readonly issuer: Issuer
  readonly ledger: Ledger
}

/** One piece of traffic on a connection that lives on while it can. */
type Act = (client: KeepAliveClient, stage: Stage) => Promise<void>

/** Everything a refused request carries begins with this. */
export const BAD_MARK = 'bad'

let serial = 0
const someone = () => `user-${serial++}@example.com`
const random = (most: number) => Math.floor(Math.random() * most)

const FORGED = ['X-Pomerium-Claim-Email: forged', 'x_pomerium.claim-email: forged']

/** GET, with forged identity headers half of the time. */
const get: Act = async (client, { issuer, ledger }) => {
  const email = someone()
  const lines = random(2) === 0 ? FORGED : []
  const started = performance.now()
  const reply = await client.ask(requestBytes(issuer.assertion({ email }), { lines }))
  judge(ledger, 'get', started, verdict(reply, { email, bytes: 0 }))
}

/** POST with a body of up to 256 KiB, with a length or in chunks. */
const post: Act = async (client, { issuer, ledger }) => {
  const email = someone()
  const body = 'b'.repeat(random(256 * 1024))
  const isChunked = random(2) === 0
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
  const started = performance.now()
  const reply = await client.ask(
    requestBytes(issuer.assertion({ email }), {
      line: 'POST /t HTTP/1.1',
      lines: [framing],
      body: isChunked ? `${chunk(body)}0\r\n\r\n` : body,
    }),
  )
  judge(ledger, 'post', started, verdict(reply, { email, bytes: body.length }))
}

const chunk = (body: string) => (body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`)

const bad: Act = async (client, { issuer, ledger }) => {
  const { code, bytes } = badRequest(issuer, `${BAD_MARK}-${serial++}`)
  const started = performance.now()
  const { status, body } = await client.ask(bytes)
  const isRight = status === 401 && codeOf(body) === code
  const wrong = `${status} ${codeOf(body)} instead of ${code}`
  judge(ledger, 'bad', started, isRight ? undefined : wrong)
}

/** Two Hosts: malformed, so the connection ends with the answer. */
const malformed: Act = async (client, { issuer, ledger }) => {
  const started = performance.now()
  const lines = ['Host: other', `X-Mark: ${BAD_MARK}`]
  const { status, isLast } = await client.ask(requestBytes(issuer.assertion(), { lines }))
  judge(ledger, 'malformed', started, status === 400 && isLast ? undefined : String(status))
}

/** Good and bad requests in one packet: every one gets its own answer. */
const pipeline: Act = async (client, { issuer, ledger }) => {
  const started = performance.now()
  const emails = [someone(), someone(), someone()]
  const requests = emails.flatMap((email) => [
    requestBytes(issuer.assertion({ email })),
    badRequest(issuer, `${BAD_MARK}-${serial++}`).bytes,
  ])
  let reply = await client.ask(requests.join(''))
  for (const [i, email] of emails.entries()) {
    judge(ledger, 'pipelined', started, verdict(reply, { email, bytes: 0 }))
    const refused = await client.ask('')
    judge(ledger, 'pipelined', started, refused.status === 401 ? undefined : answerOf(refused))
    if (i < emails.length - 1) reply = await client.ask('')
  }
}

/** Goes away at some moment of an upload or an answer. */
const abort: Act = async (client, { issuer, ledger }) => {
  const [line, body] = random(2) === 0 ? ['POST /t', 'x'.repeat(5_000)] : ['GET /size/3000000', '']
  const lines = body === '' ? [] : ['Content-Length: 9000']
  client.socket.write(requestBytes(issuer.assertion(), { line: `${line} HTTP/1.1`, lines, body }))
  await pause(random(15))
  if (random(2) === 0) client.socket.resetAndDestroy()
  else client.end()
  ledger.right('aborted')
}

/** Reads some events, then leaves. */
const events: Act = async (client, { issuer, ledger }) => {
  const started = performance.now()
  let text = ''
  client.socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
  })
  client.socket.write(requestBytes(issuer.assertion(), { line: 'GET /events HTTP/1.1' }))
  while (!client.socket.destroyed && (text.match(/data: /g)?.length ?? 0) < 5) {
    if (performance.now() - started > 5_000) break
    await pause(10)
  }
  const answer = answerOf({ status: Number(text.slice(9, 12)), body: text })
  const isWhole = (text.match(/data: /g)?.length ?? 0) >= 5
  judge(ledger, 'events', started, isWhole ? undefined : answer)
  client.end()
}

const codeOf = (body: string): string => /"code":"([A-Z_]+)"/.exec(body)?.[1] ?? 'without a code'

/** For a finding: an answer that should not have come, or none. */
function answerOf({ status, body }: Pick<Reply, 'status' | 'body'>): string {
  if (status === 0) return 'closed'
  return status === 200 ? 'truncated' : `${status} ${codeOf(body)}`
}

const judge = (ledger: Ledger, kind: string, started: number, wrong: string | undefined) =>
  wrong === undefined ? ledger.right(kind) : ledger.wrong(kind, wrong, started)

interface Wanted {
  readonly email: string
  readonly bytes: number
}

function verdict({ status, body }: Reply, { email, bytes }: Wanted): string | undefined {
  if (status !== 200) return answerOf({ status, body })
  const seen = JSON.parse(body)
  if (seen.email !== email) return "another user's identity"
  return seen.bytes === bytes ? undefined : `${seen.bytes} bytes instead of ${bytes}`
}

/** A WebSocket with a good assertion, or with a bad one. */
async function webSocket({ program, issuer, ledger }: Stage): Promise<void> {
  const started = performance.now()
  const email = someone()
  const isGood = random(3) > 0
  const assertion = issuer.assertion(isGood ? { email } : { aud: 'other' })
  const mark = isGood ? 'good' : `${BAD_MARK}-${serial++}`
  const headers = { 'X-Pomerium-Jwt-Assertion': assertion, 'X-Mark': mark }
  const socket = new WebSocket(`ws://127.0.0.1:${program.port}/ws`, { headers })
  socket.on('error', () => undefined)
  const seen = new Promise<string>((resolve) => {
    socket.once('upgrade', ({ headers }) => resolve(String(headers['x-seen-email'])))
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(refusal(statusCode)))
    socket.once('close', () => resolve('closed'))
  })
  const outcome = await seen
  judge(ledger, 'websocket', started, outcome === (isGood ? email : '401') ? undefined : outcome)
  if (isGood && outcome === email) {
    await Promise.race([once(socket, 'message').catch(() => undefined), pause(2_000)])
    await pause(random(500))
  }
  if (random(2) === 0) socket.close()
  else socket.terminate()
}

/** Without its body, 503 can only mean that the machine is late: all other reasons are kept away. */
const refusal = (status: number | undefined) =>
  status === 503 ? '503 ERR_OVERLOADED' : String(status)

const ACTS: readonly (readonly [weight: number, act: Act])[] = [
  [40, get],
  [12, post],
  [20, bad],
  [3, malformed],
  [6, pipeline],
  [8, abort],
  [3, events],
]
const LOTS = ACTS.flatMap(([weight, act]) => Array.from({ length: weight }, () => act))

/** Traffic of all kinds on one connection after the other until `isOver`. */
export async function actor(stage: Stage, isOver: () => boolean): Promise<void> {
  let client: KeepAliveClient | undefined
  while (!isOver()) {
    await pause(random(80))
    if (random(25) === 0) {
      await webSocket(stage)
      continue
    }
    if (client?.isOpen() !== true) client = await keepAliveClient(stage.program)
    const started = performance.now()
    const act = LOTS[random(LOTS.length)] as Act
    try {
      await act(client, stage)
    } catch (error) {
      client.end()
      const what = error instanceof LostError ? error.loss : String(error)
      stage.ledger.wrong(act.name, what, started)
    }
  }
  client?.end()
}
