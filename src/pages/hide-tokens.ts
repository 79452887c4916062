/** Shorter pieces are names, such as those of hosts. */
const LEAST = 16

/** What a JSON object, and so the header of every JWS and JWE, begins with in base64url. */
const OBJECT_START = /^e[w-z0-9_-]/

/** The value of an identity header or a claim without the tokens in it, should one hold any. */
export function hideTokens(text: string): string {
  if (isCompact(text.replace(/^Bearer /i, ''))) return '(the assertion)'
  // One pass without a way back: the text may be long, and its content somebody's choice.
  return text.replace(/[\w.-]+/g, (word) => (holdsToken(word) ? '(a token)' : word))
}

/** The same for everything in a claim; the names of members stay. */
export function withoutTokens(value: unknown): unknown {
  if (typeof value === 'string') return hideTokens(value)
  if (Array.isArray(value)) return value.map(withoutTokens)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutTokens(member)]),
  )
}

const isCompact = (text: string): boolean => {
  const parts = text.split('.')
  return parts.length === 3 && parts.every((part) => part.length >= LEAST && /^[\w-]+$/.test(part))
}

const holdsToken = (word: string): boolean => {
  const parts = word.split('.')
  return parts.some(
    (part, index) =>
      part.length >= LEAST &&
      OBJECT_START.test(part) &&
      (parts[index + 1] ?? '').length >= LEAST &&
      parts[index + 2] !== undefined,
  )
}
