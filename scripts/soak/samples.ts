import type { Program } from '../../test/helpers/program.ts'

export interface Sample {
  /** Minutes since the begin. */
  readonly at: number
  /** MB. */
  readonly rss: number
  readonly descriptors: number
  /** In use, MB; the lowest ones are those just after a collection. */
  readonly heap: number
}

/** Takes a sample every five seconds. */
export function sampleUsage(program: Program) {
  const begin = performance.now()
  const samples: Sample[] = []
  const take = async () => {
    const heap = (await program.metric('nodejs_heap_size_used_bytes')) / 2 ** 20
    samples.push({ at: (performance.now() - begin) / 60_000, heap, ...program.usage() })
  }
  // A program that has ended is found by what follows.
  const timer = setInterval(() => take().catch(() => undefined), 5_000)
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

/** Of the first and of the last quarter: the mean and the lowest. */
export function quarters(samples: readonly Sample[], of: (sample: Sample) => number) {
  const size = Math.max(1, Math.floor(samples.length / 4))
  const tell = (part: readonly Sample[]) => ({
    mean: part.reduce((sum, s) => sum + of(s), 0) / part.length,
    lowest: Math.min(...part.map(of)),
  })
  return { first: tell(samples.slice(0, size)), last: tell(samples.slice(-size)) }
}
