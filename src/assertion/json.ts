import { isObject } from './claims.ts'

/** Deeper JSON is refused: nothing Pomerium signs comes near, and everything after may recurse. */
export const MAX_DEPTH = 128

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The members of the JSON object in `bytes`, on an object without prototype.
 *
 * `undefined` for anything else: bytes that are not UTF-8, a byte order mark, text that is not JSON, a value
 * that is not an object, or one nested deeper than {@link MAX_DEPTH}. Of a repeated name the last is kept
 * (RFC 7515 section 4).
 */
export function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const value = parse(bytes)
  if (!isObject(value)) return undefined
  const members: Record<string, unknown> = Object.create(null)
  for (const name of Object.keys(value)) {
    const member = value[name]
    if (isDeeperThan(member, MAX_DEPTH - 1)) return undefined
    members[name] = member
  }
  return members
}

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])
const BRACE = 0x7b

function parse(bytes: Uint8Array): unknown {
  // Garbage has another beginning, nearly always, and what JSON.parse throws costs a third of its refusal. So has a byte order
  // mark (RFC 8259 section 8.1).
  if (bytes.find((byte) => !BLANKS.has(byte)) !== BRACE) return undefined
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    return undefined
  }
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  for (const member of members) if (isDeeperThan(member, depth - 1)) return true
  return false
}
