import type { Config } from '../config/config.ts'
import { foldName } from './fold.ts'
import { remember } from './remember.ts'
import { createShapes } from './shapes.ts'

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
  const mayBeNamed = createShapes(names)
  const mayBeReserved = (name: string) => beginsWithX(name) || mayBeNamed(name)
  // Requests repeat the same few names; folding each again costs more than all other work on them.
  const isReservedName = remember((name) => {
    const folded = foldName(name)
    return names.has(folded) || folded.startsWith('x-pomerium-')
  })
  return (name, value) =>
    (mayBeReserved(name) && isReservedName(name)) || isPomeriumSession(name, value)
}

/** As all names under `x-pomerium` do, of any length. */
const beginsWithX = (name: string): boolean => (name.charCodeAt(0) | 0x20) === 0x78

function isPomeriumSession(name: string, value: string): boolean {
  return (
    name.length === 'authorization'.length &&
    name.toLowerCase() === 'authorization' &&
    POMERIUM_SESSION.test(value)
  )
}
