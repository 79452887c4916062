import { type ImportedKey, importPublicKey } from './jwk.ts'
import type { ParsedKeySet, VerificationKey } from './types.ts'

/** More keys than this is no set of signing keys; it bounds the work of one load. */
export const MAX_KEYS = 100

const NO_SIGNING_KEY =
  'Pomerium has no signing key: its key set is empty (set signing_key in Pomerium)'

/**
 * Reads a JWK Set (RFC 7517 §5) and keeps the keys that may verify with one of `algorithms`. Keys that do not fit
 * are left out with a note, so one odd key does not take the others with it. Two keys may share a `kid`: both stay.
 * Never rejects.
 */
export async function parseJwkSet(
  text: string,
  algorithms: readonly string[],
): Promise<ParsedKeySet> {
  if (text.trim() === '') return notAKeySet('is an empty text')
  if (text.trimStart().startsWith('<')) return notAKeySet('is an HTML page')
  const members = readMembers(text)
  if (typeof members === 'string') return notAKeySet(members)
  if (members.length === 0) return { kind: 'no-signing-key', reason: NO_SIGNING_KEY }
  if (members.length > MAX_KEYS) return notAKeySet(`holds more than ${MAX_KEYS} keys`)
  return collectKeys(
    await Promise.all(members.map((member) => importPublicKey(member, algorithms))),
    algorithms,
  )
}

/** Brings the outcomes for the members of one set together, in their order. */
export function collectKeys(
  imported: readonly ImportedKey[],
  algorithms: readonly string[],
): ParsedKeySet {
  const keys: VerificationKey[] = []
  const notes: string[] = []
  for (const [index, outcome] of imported.entries()) {
    if (outcome.kind === 'keys') keys.push(...outcome.keys)
    else notes.push(`key ${index + 1} ${outcome.why}`)
  }
  if (keys.length > 0) return { kind: 'keys', keys, notes: [...notes, ...sharedNames(keys)] }
  const wanted = algorithms.join(', ')
  const reason = `no key of the set can be used for ${wanted}: ${notes.slice(0, 5).join('; ')}`
  return { kind: 'no-fitting-key', reason }
}

/** The members of the set, or what is wrong with the text. */
function readMembers(text: string): readonly unknown[] | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'is not JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'is not a JSON object'
  }
  const set = value as Readonly<Record<string, unknown>>
  const members = set['keys']
  // Pomerium without a signing key marshals a nil slice.
  if (members === null) return []
  if (Array.isArray(members)) return members
  if (members === undefined && Object.hasOwn(set, 'kty')) {
    return 'is a single JWK: put it in {"keys": […]}'
  }
  return 'has no list named keys'
}

function sharedNames(keys: readonly VerificationKey[]): readonly string[] {
  const names = keys.map(({ kid, alg }) => JSON.stringify([kid, alg]))
  return new Set(names).size === names.length ? [] : ['two keys share a kid: both are tried']
}

function notAKeySet(what: string): ParsedKeySet {
  return { kind: 'not-a-key-set', reason: `the key set ${what}` }
}
