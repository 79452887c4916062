/** The value at `share` (0 to 1) of sorted numbers, nearest rank. `NaN` of none. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.ceil(sorted.length * share) - 1
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN
}

const ascending = (numbers: readonly number[]): readonly number[] =>
  numbers.filter((number) => !Number.isNaN(number)).toSorted((a, b) => a - b)

/** The middle one, or the mean of the two in the middle; `NaN` entries are left out. */
export function median(numbers: readonly number[]): number {
  const sorted = ascending(numbers)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[(sorted.length >> 1) - 1] ?? Number.NaN) + upper) / 2
}

/** What stands for an absolute cost: neighbours only ever add to it, so a low value is near the truth. */
export const lowValue = (numbers: readonly number[]): number => percentile(ascending(numbers), 0.2)

/**
 * The median of the ratios of each round. Both values of a ratio were taken within the same minute, so what
 * slows the whole machine is in both of them.
 */
export function ratioByRound(values: readonly number[], bases: readonly number[]): number {
  const rounds = Math.min(values.length, bases.length)
  return median(
    Array.from({ length: rounds }, (_, i) => (values[i] ?? Number.NaN) / (bases[i] ?? Number.NaN)),
  )
}

/** `list` begun at its `round`-th entry, so that no one always comes first, or after the same neighbour's noise. */
export function rotated<T>(list: readonly T[], round: number): readonly T[] {
  const start = list.length === 0 ? 0 : round % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}

/** Latencies of one run, microseconds. */
export interface Latency {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** @param milliseconds One for each request; sorted in place. */
export function latencyOf(milliseconds: Float64Array): Latency {
  const sorted = milliseconds.sort()
  const at = (share: number) => Math.round(percentile(sorted, share) * 1000)
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) }
}
