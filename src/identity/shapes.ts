/** Longer ones than this are not settled; no header that is looked for comes near. */
const MAX_LENGTH = 63
const LETTERS = 32

/**
 * Settles most names by their length and first letter, without a look at the others: 2 µs a request for reserved names
 * alone. Folding keeps both, but for the case of the letter.
 *
 * @param names folded ones
 * @returns whether a name may fold to one of them; what begins with no letter, or is longer than 63, always may
 */
export function createShapes(names: Iterable<string>): (name: string) => boolean {
  const shapes = new Uint8Array((MAX_LENGTH + 1) * LETTERS)
  shapes[UNKNOWN] = 1
  for (const name of names) shapes[shapeOf(name)] = 1
  return (name) => shapes[shapeOf(name)] === 1
}

const UNKNOWN = 0

function shapeOf(name: string): number {
  const letter = name.charCodeAt(0) | 0x20
  const isSettled = letter >= 0x61 && letter <= 0x7a && name.length <= MAX_LENGTH
  return isSettled ? name.length * LETTERS + letter - 0x61 : UNKNOWN
}
