/** What happened, by kind of traffic, and everything that should not have. */
export interface Ledger {
  /**
   * While the app restarts good requests are excused: they may end with 502 or with their connection. The returned
   * function ends that.
   */
  excuse(): () => void
  /** One request or tunnel went as it must. */
  right(kind: string): void
  /** It did not; `started` is `performance.now()` at its begin. */
  wrong(kind: string, what: string, started: number): void
  readonly counts: ReadonlyMap<string, number>
  readonly excused: () => number
  /** Refused since the event loop was late: right, and no decision about anybody. */
  readonly overloaded: () => number
  /** Each with the number of times it happened. */
  readonly wrongs: ReadonlyMap<string, number>
}

/** Connections that were accepted just before a restart may break just after it, milliseconds. */
const MARGIN = 250

export function createLedger(): Ledger {
  const counts = new Map<string, number>()
  const wrongs = new Map<string, number>()
  const windows: { readonly begin: number; end: number }[] = []
  let excused = 0
  let overloaded = 0
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  return {
    excuse() {
      const window = { begin: performance.now(), end: Number.POSITIVE_INFINITY }
      windows.push(window)
      return () => {
        window.end = performance.now() + MARGIN
      }
    },
    right: (kind) => void add(counts, kind),
    wrong(kind, what, started) {
      const now = performance.now()
      const isExcused = windows.some(({ begin, end }) => started < end && now > begin)
      if (what.includes('503 ERR_OVERLOADED')) overloaded += 1
      else if (isExcused && /^(?:502|504|reset|closed|truncated)/.test(what)) excused += 1
      else add(wrongs, `${kind}: ${what}`)
    },
    counts,
    excused: () => excused,
    overloaded: () => overloaded,
    wrongs,
  }
}
