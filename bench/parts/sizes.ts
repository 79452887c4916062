import { figure } from '../report/table.ts'
import type { Stage } from '../stage.ts'
import { CONNECTIONS, chosen, type Part, scaled, WARM_UP } from './part.ts'
import { measureInRounds, type Scenario } from './rounds.ts'
import { costOf, dataOf, ratioTo } from './summary.ts'

const PEERS = [
  'claimgate',
  'claimgate-none',
  'haproxy-jwt',
  'nginx-lua',
  'envoy-jwt',
  'go-jwt',
  'composition',
  'bare',
]
const MIB = 2 ** 20

const scenarios = (stage: Stage, scale: number): readonly Scenario[] => {
  const base = { status: 200, connections: CONNECTIONS, rate: 0 }
  const many = scaled(10_000, scale, 200)
  const few = scaled(400, scale)
  return [
    { ...base, name: '10 groups', set: stage.requests('groups-10'), count: many },
    { ...base, name: '200 groups', set: stage.requests('groups-200'), count: many },
    {
      ...base,
      name: 'POST 2 KB',
      set: stage.requests('good', { method: 'POST', body: 2048 }),
      count: many,
    },
    {
      ...base,
      name: '10 KB answer',
      set: stage.requests('good', { target: '/size/10240' }),
      count: many,
    },
    {
      ...base,
      name: '1 MiB answer',
      set: stage.requests('good', { target: `/size/${MIB}` }),
      count: few,
    },
    {
      ...base,
      name: '1 MiB upload',
      set: stage.requests('good', { method: 'POST', body: MIB }),
      count: few,
    },
  ]
}

/** What longer assertions and bodies cost. */
export const sizes: Part = async ({ stage, peers, rounds, scale, tell }) => {
  const kinds = scenarios(stage, scale)
  const all = await measureInRounds(stage, chosen(peers, PEERS), kinds, {
    rounds,
    warmUp: scaled(WARM_UP, scale, 500),
    withCounters: false,
    tell,
  })
  return {
    tables: [
      {
        title: 'Sizes: CPU µs per request (÷ HAProxy `jwt_verify`)',
        columns: ['proxy', ...kinds.map(({ name }) => name)],
        rows: all.map((entry) => [
          entry.peer.title,
          ...kinds.map(({ name }) => {
            const ratio = ratioTo(all, 'haproxy-jwt', entry, name)
            return `${figure(costOf(entry, name))} (${figure(ratio)})`
          }),
        ]),
        notes: [],
      },
    ],
    data: dataOf(all),
  }
}
