/** How many names are remembered, and how long they may be: clients choose them. */
export const MAX_REMEMBERED = 512
export const MAX_REMEMBERED_LENGTH = 64

/**
 * The same decision about a name, made once for names that come again. Holds at most
 * {@link MAX_REMEMBERED} names, then starts anew.
 *
 * @param decide Must give the same answer for the same name.
 */
export function remember(decide: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const decided = decide(name)
    if (name.length > MAX_REMEMBERED_LENGTH) return decided
    if (known.size >= MAX_REMEMBERED) known.clear()
    known.set(name, decided)
    return decided
  }
}
