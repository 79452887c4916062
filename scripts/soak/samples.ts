import type { Program } from '../../test/helpers/program.ts'

export interface Sample {
  /** Minutes since the begin. */
  readonly at: number
  /** MB. */
  readonly rss: number
  readonly descriptors: number
}

/** Takes a sample every five seconds. */
export function sampleUsage(program: Program) {
  const begin = performance.now()
  const samples: Sample[] = []
  const take = () => {
    samples.push({ at: (performance.now() - begin) / 60_000, ...program.usage() })
  }
  take()
  const timer = setInterval(take, 5_000)
  return {
    end(): readonly Sample[] {
      clearInterval(timer)
      return samples
    },
  }
}

/** The slope of the best line through the samples, per hour. */
export function slopePerHour(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const n = samples.length
  const meanX = samples.reduce((sum, { at }) => sum + at, 0) / n
  const meanY = samples.reduce((sum, sample) => sum + of(sample), 0) / n
  const spread = samples.reduce((sum, { at }) => sum + (at - meanX) ** 2, 0)
  const rise = samples.reduce((sum, s) => sum + (s.at - meanX) * (of(s) - meanY), 0)
  return (rise / spread) * 60
}

/** The mean of the first and of the last quarter. */
export function quarters(samples: readonly Sample[], of: (sample: Sample) => number) {
  const size = Math.max(1, Math.floor(samples.length / 4))
  const mean = (part: readonly Sample[]) => part.reduce((sum, s) => sum + of(s), 0) / part.length
  return { first: mean(samples.slice(0, size)), last: mean(samples.slice(-size)) }
}
