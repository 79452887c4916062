import { lowValue, median, ratioByRound } from '../measure/stats.ts'
import type { PeerSamples, Sample } from './rounds.ts'

/** One measurement of every round. */
export type Series = readonly number[]

export const seriesOf = (
  { samples }: PeerSamples,
  scenario: string,
  value: (sample: Sample) => number | undefined,
): Series => (samples.get(scenario) ?? []).map((sample) => value(sample) ?? Number.NaN)

export const cpuOf = (entry: PeerSamples, scenario: string): Series =>
  seriesOf(entry, scenario, ({ cpu }) => cpu)

/** Ratio of processor times to those of the peer `base`; `undefined` when that was not measured. */
export function ratioTo(
  all: readonly PeerSamples[],
  base: string,
  entry: PeerSamples,
  scenario: string,
): number | undefined {
  const found = all.find(({ peer }) => peer.name === base)
  if (found === undefined) return undefined
  return ratioByRound(cpuOf(entry, scenario), cpuOf(found, scenario))
}

/** Absolute cost: the 20th percentile of the rounds. */
export const costOf = (entry: PeerSamples, scenario: string): number =>
  lowValue(cpuOf(entry, scenario))

/**
 * How much more than one bare signature check verifying costs: (verified − not verified) / bare check, in each round, of
 * which the median. `undefined` when one of the two was not measured.
 */
export function efficiency(
  all: readonly PeerSamples[],
  [verified, none]: readonly [string, string],
  bare: Series,
  scenario: string,
): number | undefined {
  const [with_, without] = [verified, none].map((name) =>
    all.find(({ peer }) => peer.name === name),
  )
  if (with_ === undefined || without === undefined) return undefined
  const base = cpuOf(without, scenario)
  return median(
    cpuOf(with_, scenario).map(
      (cpu, round) => (cpu - (base[round] ?? Number.NaN)) / (bare[round] ?? Number.NaN),
    ),
  )
}

/** For the JSON file. */
export const dataOf = (all: readonly PeerSamples[]) =>
  all.map(({ peer, version, memory, samples }) => ({
    name: peer.name,
    version,
    memory,
    samples: Object.fromEntries(samples),
  }))
