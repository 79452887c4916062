import { lowValue, median } from '../measure/stats.ts'
import { startVerifyMeter } from '../measure/verify-meter.ts'
import type { VerifyCost } from '../measure/verify-process.ts'
import type { Bar } from '../report/svg.ts'
import { figure } from '../report/table.ts'
import { CONNECTIONS, type Part, scaled, WARM_UP } from './part.ts'
import { measureInRounds, type PeerSamples, type Scenario } from './rounds.ts'
import { costOf, dataOf, efficiency, ratioTo, seriesOf } from './summary.ts'

const NAME = 'good'
const CHECKS = 5_000

/** The main table: as many requests as there is processor for, each with an assertion that nobody has seen before. */
export const saturation: Part = async ({ stage, peers, rounds, scale, withCounters, tell }) => {
  const scenario: Scenario = {
    name: NAME,
    set: stage.requests('good'),
    status: 200,
    // Short: what neighbours take comes and goes in seconds, and a ratio within a round should meet it on both sides.
    count: scaled(4_000, scale, 500),
    connections: CONNECTIONS,
    rate: 0,
  }
  const meter = startVerifyMeter(stage)
  const checks: VerifyCost[] = []
  const all = await measureInRounds(stage, peers, [scenario], {
    rounds,
    warmUp: scaled(WARM_UP, scale, 500),
    withCounters,
    tell,
    inEachRound: async () => void checks.push(await meter.measure(scaled(CHECKS, scale, 500))),
  }).finally(() => meter.end())
  const bare = checks.map((check) => check.bare)
  const factor = efficiency(all, ['claimgate', 'claimgate-none'], bare, NAME)
  return {
    tables: [
      {
        title: 'Saturation, one processor',
        columns: [
          'proxy',
          'CPU µs per request',
          '÷ HAProxy `jwt_verify`',
          '÷ claimgate without verification',
          '÷ bare Node',
          'thousand instructions',
          'requests/s',
          'p50 / p99 ms',
          'RSS MiB, idle / after',
        ],
        rows: all.map((entry) => row(all, entry)),
        notes: [
          `One bare \`crypto.verify\` of P-256 in the same rounds: ${figure(lowValue(bare))} µs.`,
          `Verification efficiency, (claimgate − claimgate without verification) ÷ bare \`crypto.verify\`: ${figure(factor)}; 1 would be the signature check alone.`,
          ...lacksOf(all),
        ],
      },
    ],
    plot: {
      title: 'CPU per request, ÷ HAProxy jwt_verify (lower is better)',
      bars: all.map((entry) => barOf(all, entry)),
    },
    data: { checks, efficiency: factor, peers: dataOf(all) },
  }
}

function row(all: readonly PeerSamples[], entry: PeerSamples): readonly string[] {
  const rates = seriesOf(entry, NAME, ({ rate }) => rate)
  const p50 = lowValue(seriesOf(entry, NAME, ({ latency }) => latency.p50 / 1000))
  const p99 = lowValue(seriesOf(entry, NAME, ({ latency }) => latency.p99 / 1000))
  const instructions = median(seriesOf(entry, NAME, (one) => one.counters?.instructions))
  const { before, after } = entry.memory
  return [
    `${entry.peer.title} (${entry.version})`,
    figure(costOf(entry, NAME)),
    figure(ratioTo(all, 'haproxy-jwt', entry, NAME)),
    figure(ratioTo(all, 'claimgate-none', entry, NAME)),
    figure(ratioTo(all, 'bare', entry, NAME)),
    figure(instructions / 1000),
    figure(-lowValue(rates.map((rate) => -rate))),
    `${figure(p50)} / ${figure(p99)}`,
    `${figure(before / 1024)} / ${figure(after / 1024)}`,
  ]
}

/** What the peers leave out, for whoever compares. */
export const lacksOf = (all: readonly PeerSamples[]): readonly string[] =>
  all.flatMap(({ peer }) => (peer.lacks === undefined ? [] : [`${peer.title}: ${peer.lacks}.`]))

function barOf(all: readonly PeerSamples[], entry: PeerSamples): Bar {
  const ratio = ratioTo(all, 'haproxy-jwt', entry, NAME)
  const cost = costOf(entry, NAME)
  const { name, title, verifies } = entry.peer
  const kind = verifies === 'all' ? 'other' : 'floor'
  return {
    label: title.replaceAll('`', ''),
    value: ratio ?? cost,
    text: ratio === undefined ? `${figure(cost)} µs` : `${figure(ratio)} (${figure(cost)} µs)`,
    emphasis: name === 'claimgate' ? 'ours' : kind,
  }
}
