import { processorTime, residentMemory } from '../measure/process.ts'
import { lowValue, median } from '../measure/stats.ts'
import type { Peer } from '../peers/peer.ts'
import { figure } from '../report/table.ts'
import type { Stage } from '../stage.ts'
import { chosen, type Part, type PartContext, scaled } from './part.ts'

const PEERS = [
  'claimgate',
  'haproxy-jwt',
  'nginx-lua',
  'envoy-jwt',
  'go-jwt',
  'composition',
  'bare',
]
/** These leave WebSockets out; the composition as its packages do unless told otherwise. */
const WITHOUT_WEBSOCKETS = ['composition', 'bare']

const IDLE = [1_000, 5_000] as const
const WEBSOCKETS = 1_000
const ECHOES = 20
const MESSAGE_BYTES = 100
/** Until what was allocated on the way has been given back or has found its place. */
const SETTLE = 1_500

interface Found {
  /** KiB for each idle connection, by how many there are. */
  readonly idle: readonly number[]
  readonly webSocket: number | undefined
  /** Processor time of one message and its echo, microseconds. */
  readonly echo: number | undefined
}

/** What a connection costs that does nothing, and one that carries messages. */
export const connections: Part = async (context) => {
  const { peers, rounds, tell } = context
  // Every figure is from a process of its own: memory that was once taken would hide what the next step takes.
  const repeats = Math.min(rounds, 3)
  const found = new Map<Peer, Found[]>()
  for (let round = 0; round < repeats; round++)
    for (const peer of chosen(peers, PEERS)) {
      tell(`connections of ${peer.name}, ${round + 1} of ${repeats}`)
      found.set(peer, [...(found.get(peer) ?? []), await lookAt(context, peer)])
    }
  return {
    tables: [
      {
        title: 'Connections',
        columns: [
          'proxy',
          ...IDLE.map((count) => `${count.toLocaleString('en-US')} idle: KiB each`),
          `${WEBSOCKETS.toLocaleString('en-US')} WebSockets: KiB each`,
          'CPU µs per message and echo',
        ],
        rows: [...found].map(([{ title }, all]) => [
          title,
          ...IDLE.map((_, index) =>
            figure(median(all.map(({ idle }) => idle[index] ?? Number.NaN))),
          ),
          figure(median(all.map(({ webSocket }) => webSocket ?? Number.NaN))),
          figure(lowValue(all.map(({ echo }) => echo ?? Number.NaN))),
        ]),
        notes: ['Growth of RSS, of which client and app side of a request both are part.'],
      },
    ],
    data: [...found].map(([{ name }, all]) => ({ name, all })),
  }
}

async function lookAt({ stage, scale }: PartContext, peer: Peer): Promise<Found> {
  const idle = await growthOfIdle(stage, peer, scale)
  if (WITHOUT_WEBSOCKETS.includes(peer.name)) return { idle, webSocket: undefined, echo: undefined }
  return { idle, ...(await webSockets(stage, peer, scale)) }
}

const settle = () => new Promise<void>((resolve) => setTimeout(resolve, SETTLE))

async function growthOfIdle(stage: Stage, peer: Peer, scale: number): Promise<readonly number[]> {
  const { running, base } = await startWarm(stage, peer)
  try {
    const growths: number[] = []
    let open = 0
    for (const wanted of IDLE.map((count) => scaled(count, scale))) {
      const set = stage.requests('good')
      await stage.do({ kind: 'idle', set, port: running.port, count: wanted - open })
      open = wanted
      await settle()
      growths.push((residentMemory(running.pids) - base) / open)
    }
    return growths
  } finally {
    await stage.do({ kind: 'close' })
    await running.end()
  }
}

async function webSockets(stage: Stage, peer: Peer, scale: number) {
  const { running, base } = await startWarm(stage, peer)
  try {
    const count = scaled(WEBSOCKETS, scale)
    const set = stage.requests('good')
    await stage.do({ kind: 'websockets', set, port: running.port, count })
    await settle()
    const webSocket = (residentMemory(running.pids) - base) / count
    await stage.do({ kind: 'echo', rounds: ECHOES, bytes: MESSAGE_BYTES })
    const before = processorTime(running.pids)
    await stage.do({ kind: 'echo', rounds: ECHOES, bytes: MESSAGE_BYTES })
    const echo = (processorTime(running.pids) - before) / 1000 / (count * ECHOES)
    return { webSocket, echo }
  } finally {
    await stage.do({ kind: 'close' })
    await running.end()
  }
}

/** A few requests first, so that nothing is counted that every process takes once. */
async function startWarm(stage: Stage, peer: Peer) {
  const running = await peer.start(stage)
  const set = stage.requests('good')
  const load = { kind: 'load', set, port: running.port, rate: 0, status: 200, offset: 0 } as const
  await stage.run({ ...load, connections: 60, count: 300 })
  await settle()
  return { running, base: residentMemory(running.pids) }
}
