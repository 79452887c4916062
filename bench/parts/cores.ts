import { lowValue } from '../measure/stats.ts'
import { twoCores } from '../pin.ts'
import { figure } from '../report/table.ts'
import type { Cores } from '../stage.ts'
import { measureOnCores } from './on-cores.ts'
import { CONNECTIONS, chosen, type Part, type PartContext, scaled } from './part.ts'
import type { PeerSamples } from './rounds.ts'
import { costOf, dataOf, seriesOf } from './summary.ts'

const PEERS = ['claimgate', 'haproxy-jwt', 'nginx-lua', 'envoy-jwt', 'go-jwt', 'composition']

/** What a second processor brings to one process. */
export const cores: Part = async (context) => {
  const two = twoCores()
  if (two === undefined) throw new Error('two processors and taskset are needed for this part')
  const one = await onCores(context, { ...two, proxy: '0', count: 1 })
  const both = await onCores(context, two)
  const shared = two.load === two.proxy
  return {
    tables: [
      {
        title: 'One processor and two',
        columns: ['proxy', 'requests/s, one', 'two', 'CPU µs per request, one', 'two'],
        rows: one.map((entry, index) => {
          const other = both[index] as PeerSamples
          return [
            entry.peer.title,
            figure(highRate(entry)),
            figure(highRate(other)),
            figure(costOf(entry, 'good')),
            figure(costOf(other, 'good')),
          ]
        }),
        notes: shared ? ['Load and app share both processors with the proxy in both columns.'] : [],
      },
    ],
    data: { one: dataOf(one), two: dataOf(both) },
  }
}

const highRate = (entry: PeerSamples): number =>
  -lowValue(seriesOf(entry, 'good', ({ rate }) => -rate))

function onCores(context: PartContext, cores: Cores): Promise<readonly PeerSamples[]> {
  return measureOnCores(context, cores, chosen(context.peers, PEERS), (stage) => [
    {
      name: 'good',
      set: stage.requests('good'),
      status: 200,
      count: scaled(20_000, context.scale, 500),
      connections: CONNECTIONS,
      rate: 0,
    },
  ])
}
