import type { Config } from '../config/config.ts'
import { foldName } from './fold.ts'
import { remember } from './remember.ts'

/** Whether a client's field must not reach the upstream. */
export type IsReserved = (name: string, value: string) => boolean

// What Pomerium itself takes as a session (a service account's) and leaves in place.
const POMERIUM_SESSION = /^[ \t]*bearer[ \t]+pomerium-/i

/**
 * Makes the test for fields that only Pomerium or this program may set, in any spelling: `x-pomerium` and
 * everything under it, every identity header, every reserved header and the assertion header itself, also
 * when no claim is present; and an `Authorization` that carries a Pomerium session.
 */
export function createReserved(
  config: Pick<Config, 'identityHeaders' | 'reservedHeaders' | 'assertionHeader'>,
): IsReserved {
  const names = new Set([
    'x-pomerium',
    ...config.identityHeaders.map(({ header }) => foldName(header)),
    ...config.reservedHeaders.map(foldName),
    foldName(config.assertionHeader),
  ])
  const mayBeReserved = createShapes(names)
  // Requests repeat the same few names; folding each again costs more than all other work on them.
  const isReservedName = remember((name) => {
    const folded = foldName(name)
    return names.has(folded) || folded.startsWith('x-pomerium-')
  })
  return (name, value) =>
    (mayBeReserved(name) && isReservedName(name)) || isPomeriumSession(name, value)
}

/**
 * Settles most names by their length and first letter, without a look at the others (2 µs a request). Folding keeps both,
 * but for the case of the letter; what begins with an `x`, or with no letter at all, is always looked at.
 */
function createShapes(names: ReadonlySet<string>): (name: string) => boolean {
  const shapes = new Set([...names].map(shapeOf))
  return (name) => {
    const shape = shapeOf(name)
    return shape === UNKNOWN || shapes.has(shape)
  }
}

const UNKNOWN = -1

function shapeOf(name: string): number {
  const letter = name.charCodeAt(0) | 0x20
  const isSettled = letter >= 0x61 && letter < 0x78
  return isSettled ? name.length * 0x80 + letter : UNKNOWN
}

function isPomeriumSession(name: string, value: string): boolean {
  return (
    name.length === 'authorization'.length &&
    name.toLowerCase() === 'authorization' &&
    POMERIUM_SESSION.test(value)
  )
}
