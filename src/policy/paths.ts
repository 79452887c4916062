/** Makes the test whether the path of a target, as it was sent and without its query, is one of these. */
export function createPaths(patterns: readonly string[]): (path: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !isPrefix(pattern)))
  const prefixes = patterns.filter(isPrefix).map((pattern) => pattern.slice(0, -1))
  return (path) =>
    exact.has(path) || (prefixes.some((prefix) => path.startsWith(prefix)) && hasOneReading(path))
}

const isPrefix = (pattern: string): boolean => pattern.endsWith('/*')

/** What a server behind may take for a separator, for the end of the path, or for the start of an escape. */
const SPECIAL = /[./\\;%?#]/

/**
 * Whether every server reads the same segments in this path: decoded once or twice, cleaned, cut at parameters, or
 * taken to other characters that look alike. Only then does a prefix say where the request goes.
 */
export function hasOneReading(path: string): boolean {
  if (/\/\/|[\\;]/.test(path)) return false
  // An escaped escape would be another path for whoever decodes twice.
  if (/%(2[35ef]|3[bf]|5c|[01][\da-f]|7f)/i.test(path)) return false
  const text = decoded(path)
  if (text === undefined || /\p{Cc}/u.test(text)) return false
  // Some servers leave blanks at the ends of a segment out.
  if (/\/\s*\.[.\s]*(\/|$)/.test(text)) return false
  const others = text.replace(/[\0-\x7f]+/g, '')
  return !SPECIAL.test(others.normalize('NFKC'))
}

/** `undefined`: a broken escape, or not UTF-8, such as a dot in two bytes. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
