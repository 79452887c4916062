import { figure } from '../report/table.ts'
import type { Stage } from '../stage.ts'
import { CONNECTIONS, chosen, type Part, scaled, WARM_UP } from './part.ts'
import { measureInRounds, type Scenario } from './rounds.ts'
import { costOf, dataOf, ratioTo } from './summary.ts'

const PEERS = [
  'claimgate',
  'claimgate-quiet',
  'haproxy-jwt',
  'nginx-lua',
  'envoy-jwt',
  'go-jwt',
  'composition',
]

const scenarios = (stage: Stage, scale: number): readonly Scenario[] => {
  const base = { connections: CONNECTIONS, rate: 0, count: scaled(10_000, scale, 200) }
  const refused = { ...base, status: 401 }
  return [
    { ...base, name: 'good', set: stage.requests('good'), status: 200 },
    { ...refused, name: 'no assertion', set: stage.requests(undefined) },
    { ...refused, name: 'garbage', set: stage.requests('garbage') },
    { ...refused, name: 'unknown kid', set: stage.requests('unknown-kid') },
    { ...refused, name: 'bad signature', set: stage.requests('bad-signature') },
  ]
}

/** What a flood of bad requests costs. */
export const refusals: Part = async ({ stage, peers, rounds, scale, tell }) => {
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
        title: 'Refusals: CPU µs per request (÷ HAProxy `jwt_verify`)',
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
