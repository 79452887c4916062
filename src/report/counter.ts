/** How often each of a few texts came. */
export interface Counted {
  readonly text: string
  readonly count: number
}

export interface Counter {
  add(text: string): void
  /** The most frequent ones, the first seen first among equals. */
  top(size: number): readonly Counted[]
  /** Occurrences that `top(size)` leaves out. */
  beyond(size: number): number
}

/** Texts that are told apart; whatever comes after so many only counts together. */
const MAX_TEXTS = 500

/** Characters of a text that are kept. */
const MAX_LENGTH = 256

export function createCounter(): Counter {
  const counts = new Map<string, number>()
  let total = 0
  const top = (size: number) =>
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, size)
      .map(([text, count]) => ({ text, count }))
  return {
    add(text) {
      total++
      const key = text.slice(0, MAX_LENGTH)
      const count = counts.get(key) ?? 0
      if (count > 0 || counts.size < MAX_TEXTS) counts.set(key, count + 1)
    },
    top,
    beyond: (size) => total - top(size).reduce((sum, { count }) => sum + count, 0),
  }
}
