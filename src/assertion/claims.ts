/** The content of a verified assertion: own members only, on an object without prototype. */
export type Claims = Readonly<Record<string, unknown>>

/**
 * The value of one claim, or `undefined` when it is absent.
 *
 * Pomerium flattens nested claims into names with dots, so a member of exactly that name wins over the path
 * it also spells. No inherited member is ever seen, and lists are not walked.
 */
export function readClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  if (!name.includes('.')) return undefined
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}

/** A JSON object, as opposed to a list, `null` or a scalar. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
