/** The candidate that differs least from `name`, when that is little enough to be a typing error. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  // A longer name cannot be close to any candidate, and the distance takes time with length.
  if (name.length > 64) return undefined
  const limit = Math.max(2, Math.floor(name.length / 3))
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: distance(name, candidate) }))
    .filter((each) => each.distance <= limit)
    .sort((a, b) => a.distance - b.distance)
  return best?.candidate
}

/** Levenshtein: insertions, deletions and replacements that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, charA] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, charB] of [...b].entries())
      next.push(
        Math.min(
          (row[j + 1] ?? 0) + 1,
          (next[j] ?? 0) + 1,
          (row[j] ?? 0) + (charA === charB ? 0 : 1),
        ),
      )
    row = next
  }
  return row.at(-1) ?? 0
}
