/**
 * Makes the test whether a text matches one of the patterns, as a whole and with the case as it is. `*`
 * stands for any run of characters, also none; every other character for itself. Without patterns every
 * text matches.
 */
export function createGlobs(patterns: readonly string[]): (text: string) => boolean {
  if (patterns.length === 0) return () => true
  const globs = patterns.map(createGlob)
  return (text) => globs.some((matches) => matches(text))
}

function createGlob(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (text) => text === pattern
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let from = first.length
    // The leftmost place for each part leaves the most room for the next: no backtracking.
    for (const part of rest) {
      const at = text.indexOf(part, from)
      if (at === -1) return false
      from = at + part.length
    }
    return from <= end
  }
}
