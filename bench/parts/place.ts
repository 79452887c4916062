import { lowValue } from '../measure/stats.ts'
import { claimgateLoop, claimgatePool } from '../peers/claimgate.ts'
import { oneCore, twoCores } from '../pin.ts'
import { figure, type Table } from '../report/table.ts'
import type { Cores } from '../stage.ts'
import { measureOnCores } from './on-cores.ts'
import { CONNECTIONS, type Part, type PartContext, scaled } from './part.ts'
import type { PeerSamples } from './rounds.ts'
import { costOf, dataOf, seriesOf } from './summary.ts'

const PACE = 1_000
const BUSY = 'as fast as answers come'
const CALM = `${PACE}/s`

/** Whether signatures are better checked on the event loop or in Node's threads, with one processor and with two. */
export const place: Part = async (context) => {
  const two = twoCores()
  if (two === undefined) throw new Error('two processors and taskset are needed for this part')
  const one = await onCores(context, oneCore())
  const both = await onCores(context, two)
  return {
    tables: [tableOf('one processor', one), tableOf('two', both)],
    data: { one: dataOf(one), two: dataOf(both) },
  }
}

function tableOf(processors: string, all: readonly PeerSamples[]): Table {
  const latency = (entry: PeerSamples, name: string, rank: 'p50' | 'p99') =>
    figure(lowValue(seriesOf(entry, name, (sample) => sample.latency[rank])))
  return {
    title: `Where signatures are checked, ${processors}: ${BUSY}, and at ${PACE} requests/s`,
    columns: [
      'claimgate',
      'requests/s',
      'CPU µs per request',
      'p50 / p99 µs',
      `CPU µs at ${CALM}`,
      `p50 / p99 µs at ${CALM}`,
    ],
    rows: all.map((entry) => [
      entry.peer.title,
      figure(-lowValue(seriesOf(entry, BUSY, ({ rate }) => -rate))),
      figure(costOf(entry, BUSY)),
      `${latency(entry, BUSY, 'p50')} / ${latency(entry, BUSY, 'p99')}`,
      figure(costOf(entry, CALM)),
      `${latency(entry, CALM, 'p50')} / ${latency(entry, CALM, 'p99')}`,
    ]),
    notes: [],
  }
}

function onCores(context: PartContext, cores: Cores): Promise<readonly PeerSamples[]> {
  const { scale } = context
  return measureOnCores(context, cores, [claimgateLoop, claimgatePool], (stage) => {
    const common = { set: stage.requests('good'), status: 200, connections: CONNECTIONS }
    return [
      { ...common, name: BUSY, rate: 0, count: scaled(20_000, scale, 500) },
      { ...common, name: CALM, rate: PACE, count: scaled(PACE * 10, scale, 500) },
    ]
  })
}
