import { lowValue, ratioByRound } from '../measure/stats.ts'
import { startVerifyMeter } from '../measure/verify-meter.ts'
import type { VerifyCost } from '../measure/verify-process.ts'
import { claimgate, claimgateNone, claimgateQuiet } from '../peers/claimgate.ts'
import { outputOf } from '../peers/peer.ts'
import { figure } from '../report/table.ts'
import { CONNECTIONS, chosen, type Part, scaled, WARM_UP } from './part.ts'
import { measureInRounds } from './rounds.ts'
import { costOf, dataOf, efficiency } from './summary.ts'

const PEERS = [claimgate.name, claimgateQuiet.name, claimgateNone.name]

/** What is left when machine and neighbours cancel out: verification in units of one bare signature check. */
export const micro: Part = async ({ stage, peers, rounds, scale, tell }) => {
  const meter = startVerifyMeter(stage)
  const checks: VerifyCost[] = []
  const scenario = {
    name: 'good',
    set: stage.requests('good'),
    status: 200,
    count: scaled(20_000, scale, 500),
    connections: CONNECTIONS,
    rate: 0,
  }
  const all = await measureInRounds(stage, chosen(peers, PEERS), [scenario], {
    rounds,
    warmUp: scaled(WARM_UP, scale, 500),
    withCounters: false,
    tell,
    inEachRound: async () => void checks.push(await meter.measure(scaled(5_000, scale, 500))),
  }).finally(() => meter.end())
  const bare = checks.map((check) => check.bare)
  const verifier = checks.map((check) => check.verifier)
  const factor = efficiency(all, [claimgate.name, claimgateNone.name], bare, 'good')
  const speed = opensslSpeed()
  return {
    tables: [
      {
        title: 'Verification efficiency',
        columns: ['what', 'CPU µs'],
        rows: [
          ['P-256 verification by `openssl speed`', figure(speed)],
          ['bare `crypto.verify`', figure(lowValue(bare))],
          ["claimgate's verifier, without sockets", figure(lowValue(verifier))],
          ...all.map((entry) => [entry.peer.title, figure(costOf(entry, 'good'))]),
        ],
        notes: [
          `Verifier ÷ bare \`crypto.verify\`: ${figure(ratioByRound(verifier, bare))}`,
          `(claimgate − claimgate without verification) ÷ bare \`crypto.verify\`: ${figure(factor)}`,
        ],
      },
    ],
    data: { checks, efficiency: factor, opensslSpeed: speed, peers: dataOf(all) },
  }
}

/** Microseconds of one check; `NaN` without the program. */
function opensslSpeed(): number {
  const text = outputOf('openssl', ['speed', '-seconds', '1', 'ecdsap256']) ?? ''
  const perSecond = /256 bits ecdsa \(nistp256\)\s+\S+\s+\S+\s+\S+\s+([\d.]+)/.exec(text)?.[1]
  return perSecond === undefined ? Number.NaN : 1e6 / Number(perSecond)
}
