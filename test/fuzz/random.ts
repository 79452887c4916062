/** Draws of one fuzz case. The same seed gives the same draws on every machine. */
export interface Random {
  /** A whole number from 0 to `below` − 1; 0 where `below` is not above 1. */
  int(below: number): number
  /** True in `percent` of 100 cases; fractions of a percent count. */
  chance(percent: number): boolean
  pick<T>(items: readonly [T, ...T[]]): T
  pick<T>(items: readonly T[]): T
  /** One of the rows by its weight. */
  weighted<T>(rows: readonly (readonly [weight: number, item: T])[]): T
  /** `length` characters of `alphabet`. */
  text(length: number, alphabet: string): string
  bytes(length: number): Buffer
}

/** The draws of case `index` of a campaign: any case can be made again without those before it. */
export function createRandom(seed: number, campaign: string, index: number): Random {
  const next = sfc32([seed >>> 0, hash(campaign), index >>> 0, Math.floor(index / 2 ** 32)])
  const int = (below: number) => (below > 1 ? Math.floor((next() / 2 ** 32) * below) : 0)
  return {
    int,
    chance: (percent) => next() < (percent / 100) * 2 ** 32,
    pick: <T>(items: readonly T[]) => items[int(items.length)] as T,
    weighted: (rows) => byWeight(rows, int),
    text(length, alphabet) {
      let text = ''
      for (let i = 0; i < length; i++) text += alphabet[int(alphabet.length)]
      return text
    },
    bytes(length) {
      const bytes = Buffer.alloc(length)
      for (let i = 0; i < length; i++) bytes[i] = next() & 0xff
      return bytes
    },
  }
}

function byWeight<T>(
  rows: readonly (readonly [weight: number, item: T])[],
  int: (below: number) => number,
): T {
  let total = 0
  for (const [weight] of rows) total += weight
  let left = int(total)
  for (const [weight, item] of rows) {
    left -= weight
    if (left < 0) return item
  }
  throw new Error('No row to draw from')
}

/** Chris Doty-Humphrey's small fast counting generator: 128 bits of state, 32 bits a draw. */
function sfc32(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // Neighbouring cases differ in one bit; the first draws would be alike.
  for (let i = 0; i < 12; i++) next()
  return next
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  }
  return value >>> 0
}
