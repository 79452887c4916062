import { lowValue, median } from '../measure/stats.ts'
import type { Peer } from '../peers/peer.ts'
import { figure, type Table } from '../report/table.ts'
import { chosen, type Part, scaled, WARM_UP } from './part.ts'
import { measureInRounds, type PeerSamples, type Sample, type Scenario } from './rounds.ts'
import { costOf, dataOf, seriesOf } from './summary.ts'

const PEERS = [
  'claimgate',
  'claimgate-quiet',
  'claimgate-none',
  'haproxy-jwt',
  'nginx-lua',
  'envoy-jwt',
  'go-jwt',
  'composition',
]
const RATES = [300, 1_000, 3_000] as const
const SECONDS = 10
const CONNECTIONS = 16

/** The app itself: what there is to wait for without any proxy. */
const direct: Peer = {
  name: 'direct',
  title: 'no proxy: straight to the app',
  verifies: 'none',
  available: () => undefined,
  start: async ({ upstreamPort }) => ({
    port: upstreamPort,
    version: '–',
    pids: [],
    startTime: 0,
    end: async () => undefined,
  }),
}

const nameOf = (rate: number) => `${rate}/s`

/** What a user waits for at loads that a server should have. */
export const rates: Part = async ({ stage, peers, rounds, scale, tell }) => {
  const scenarios = RATES.map(
    (rate): Scenario => ({
      name: nameOf(rate),
      set: stage.requests('good'),
      status: 200,
      count: scaled(rate * SECONDS, scale, rate),
      connections: CONNECTIONS,
      rate,
    }),
  )
  const all = await measureInRounds(stage, [direct, ...chosen(peers, PEERS)], scenarios, {
    rounds,
    warmUp: scaled(WARM_UP, scale, 500),
    withCounters: false,
    tell,
  })
  return { tables: RATES.map((rate) => tableOf(all, rate)), data: dataOf(all) }
}

function tableOf(all: readonly PeerSamples[], rate: number): Table {
  const name = nameOf(rate)
  const base = all.find(({ peer }) => peer === direct)
  const added = (entry: PeerSamples, value: (sample: Sample) => number): number => {
    const without = base === undefined ? [] : seriesOf(base, name, value)
    return median(
      seriesOf(entry, name, value).map((one, round) => one - (without[round] ?? Number.NaN)),
    )
  }
  return {
    title: `Latency at ${rate.toLocaleString('en-US')} requests/s, µs`,
    columns: ['proxy', 'p50', 'p99', 'p99.9', 'p50 added', 'p99 added', 'CPU µs per request'],
    rows: all.map((entry) => [
      entry.peer.title,
      ...(['p50', 'p99', 'p999'] as const).map((rank) =>
        figure(lowValue(seriesOf(entry, name, ({ latency }) => latency[rank]))),
      ),
      entry.peer === direct ? '–' : figure(added(entry, ({ latency }) => latency.p50)),
      entry.peer === direct ? '–' : figure(added(entry, ({ latency }) => latency.p99)),
      entry.peer === direct ? '–' : figure(costOf(entry, name)),
    ]),
    notes: [],
  }
}
