import { median, rotated } from '../measure/stats.ts'
import { claimgateImage } from '../peers/claimgate.ts'
import type { Peer } from '../peers/peer.ts'
import { figure } from '../report/table.ts'
import { chosen, type Part } from './part.ts'

const PEERS = ['claimgate', 'haproxy-jwt', 'nginx-lua', 'envoy-jwt', 'go-jwt', 'composition']

/** From the start of the process to the first answer of 200 to a verified request. */
export const start: Part = async ({ stage, peers, rounds, tell }) => {
  const taking = chosen(peers, PEERS).flatMap((peer) =>
    peer.name === 'claimgate' ? [peer, claimgateImage] : [peer],
  )
  const times = new Map<Peer, number[]>(taking.map((peer) => [peer, []]))
  // What is built once is built before.
  for (const peer of taking) await (await peer.start(stage)).end()
  for (let round = 0; round < rounds; round++) {
    tell(`start, ${round + 1} of ${rounds}`)
    for (const peer of rotated(taking, round)) {
      const running = await peer.start(stage)
      times.get(peer)?.push(running.startTime)
      await running.end()
    }
  }
  return {
    tables: [
      {
        title: 'Start: from the process to its first verified answer, ms',
        columns: ['proxy', 'least', 'median'],
        rows: [...times].map(([{ title }, all]) => [
          title,
          figure(Math.min(...all)),
          figure(median(all)),
        ]),
        notes: [],
      },
    ],
    data: [...times].map(([{ name }, milliseconds]) => ({ name, milliseconds })),
  }
}
