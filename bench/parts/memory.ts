import { attempt } from '../attempt.ts'
import { residentMemory } from '../measure/process.ts'
import { claimgateImage } from '../peers/claimgate.ts'
import type { Peer } from '../peers/peer.ts'
import { figure } from '../report/table.ts'
import { CONNECTIONS, chosen, type Part, type PartContext, scaled } from './part.ts'

const PEERS = ['claimgate', 'haproxy-jwt', 'nginx-lua', 'envoy-jwt', 'go-jwt', 'composition']
const STEPS = [100_000, 1_000_000] as const
const SETTLE = 1_500

/** Resident memory at rest and after a long day. Claimgate stands here twice: as its image runs it, too. */
export const memory: Part = async (context) => {
  const { peers, tell } = context
  const taking = chosen(peers, PEERS).flatMap((peer) =>
    peer.name === 'claimgate' ? [peer, claimgateImage] : [peer],
  )
  const found: (readonly [Peer, readonly number[]])[] = []
  for (const peer of taking) {
    tell(`memory of ${peer.name}`)
    found.push([peer, await residentAfter(context, peer)])
  }
  return {
    tables: [
      {
        title: 'Memory: RSS in MiB',
        columns: [
          'proxy',
          'idle',
          ...STEPS.map((count) => `after ${count.toLocaleString('en-US')} requests`),
        ],
        rows: found.map(([{ title }, kibibytes]) => [
          title,
          ...kibibytes.map((each) => figure(each / 1024)),
        ]),
        notes: [`${CONNECTIONS} connections as fast as answers come.`],
      },
    ],
    data: found.map(([{ name }, kibibytes]) => ({ name, kibibytes })),
  }
}

/** One load, so that not much is lost when the machine was late. */
const AT_ONCE = 50_000

async function residentAfter(
  { stage, scale, tell }: PartContext,
  peer: Peer,
): Promise<readonly number[]> {
  const running = await peer.start(stage)
  const settled = async () => {
    await new Promise((resolve) => setTimeout(resolve, SETTLE))
    return residentMemory(running.pids)
  }
  try {
    const set = stage.requests('good')
    const load = { kind: 'load', set, port: running.port, rate: 0, status: 200 } as const
    const found = [await settled()]
    let sent = 0
    for (const until of STEPS.map((count) => scaled(count, scale, 500))) {
      while (sent < until) {
        const count = Math.min(AT_ONCE, until - sent)
        const job = { ...load, connections: CONNECTIONS, count, offset: sent }
        await attempt(() => stage.run(job), tell)
        sent += count
      }
      found.push(await settled())
    }
    return found
  } finally {
    await running.end()
  }
}
