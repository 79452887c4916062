import type { Pass } from '../connections/requests.ts'
import type { Random } from '../random.ts'

/** What the upstream does with a handshake that reached it. */
export const BEHAVIOURS = [
  'switch',
  'switch-with-more',
  'switch-after-info',
  'switch-in-pieces',
  'switch-and-end',
  'switch-and-reset',
  'switch-to-other',
  'refuse',
  'refuse-in-chunks',
  'accept-as-plain',
  'garbage',
  'half-head',
  'nothing',
  'end',
  'reset',
] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

/** What the client asks for: only `good` may become a tunnel, only it and `plain` may reach the upstream. */
const ASKS = [
  'good',
  'plain',
  'no-assertion',
  'bad-assertion',
  'post',
  'with-body',
  'old',
  'fragment',
] as const
export type Ask = (typeof ASKS)[number]

/** How the client goes on after its last byte. */
export type Ending = 'wait' | 'reset' | 'end'

export interface Scenario {
  readonly id: string
  readonly ask: Ask
  readonly behaviour: Behaviour
  readonly head: string
  /** What follows the handshake at once, and what is sent when the tunnel is open. */
  readonly early: string
  readonly later: string
  /** The head and `early` in the pieces they are written in, with turns of the loop between. */
  readonly writes: readonly string[]
  /** Turns of the loop after each of them. */
  readonly pause: number
  readonly ending: Ending
  /** Turns of the loop before a reset or an end. */
  readonly turns: number
}

export interface Stamps {
  readonly good: Pass
  readonly bad: readonly [string, ...string[]]
}

/** `id` stands in the target and in every byte after the head, and is used once. */
export function createScenario(random: Random, id: string, { good, bad }: Stamps): Scenario {
  const ask = random.weighted<Ask>([
    [60, 'good'],
    ...ASKS.slice(1).map((each) => [6, each] as const),
  ])
  const behaviour = random.pick(BEHAVIOURS)
  const assertion = {
    'no-assertion': undefined,
    'bad-assertion': random.pick(bad),
  }[ask as string]
  const stamp = ask.endsWith('-assertion') ? assertion : good.assertion
  const target = `/ws/${behaviour}/${random.int(8)}/${id}`
  const head = headOf(ask, target, stamp)
  const early = random.chance(55) ? payload(random, id, 'early') : ''
  const ending = random.weighted<Ending>([
    [50, 'wait'],
    [35, 'reset'],
    [15, 'end'],
  ])
  return {
    ...{ id, ask, behaviour, head, early, ending },
    later: random.chance(60) ? payload(random, id, 'later') : '',
    writes: pieces(random, head + early),
    pause: 1 + random.int(5),
    turns: random.int(25),
  }
}

function headOf(ask: Ask, target: string, assertion: string | undefined): string {
  const line = {
    post: `POST ${target} HTTP/1.1`,
    old: `GET ${target} HTTP/1.0`,
    fragment: `GET ${target}#x HTTP/1.1`,
  }[ask as string]
  return [
    line ?? `GET ${target} HTTP/1.1`,
    'Host: app.example.com',
    ...(assertion === undefined ? [] : [`X-Pomerium-Jwt-Assertion: ${assertion}`]),
    'Connection: keep-alive, Upgrade, X-Pomerium-Claim-Sub',
    `Upgrade: ${ask === 'plain' ? 'h2c' : 'websocket'}`,
    ...(ask === 'with-body' ? ['Content-Length: 5'] : []),
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'X_Pomerium_Claim_Sub: mallory',
    '\r\n',
  ].join('\r\n')
}

/** Bytes that tell whose they are; some look like requests. */
function payload(random: Random, id: string, when: string): string {
  const mark = `<${when} ${id}>`
  const [before, after] = [random.bytes(random.int(40)), random.bytes(random.int(40))]
  return random.pick([
    mark,
    before.toString('latin1') + mark + after.toString('latin1'),
    `GET /smuggled/${id} HTTP/1.1\r\nHost: x\r\n\r\n${mark}`,
    `\x81\x05hello${mark}`,
    mark.repeat(1 + random.int(400)),
  ])
}

function pieces(random: Random, text: string): string[] {
  if (random.chance(40)) return [text]
  const cuts = Array.from({ length: 1 + random.int(4) }, () => random.int(text.length + 1))
  const ends = [...cuts.toSorted((a, b) => a - b), text.length]
  return ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end))
}
