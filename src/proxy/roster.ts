/** Who is here, in no order. */
export interface Roster<T> extends Iterable<T> {
  readonly size: number
}

export interface OpenRoster<T> extends Roster<T> {
  /** Enters `item`. Calling what it returns strikes it off again; a second call does nothing. */
  add(item: T): () => void
}

interface Entry<T> {
  readonly item: T
  place: number
}

/**
 * Not a `Set`, for what comes and goes with every request or connection: a `Set` takes a new table after every few
 * dozen entries, and the old one refers to the new one and to all that was in it. Once one of these tables has become
 * old, V8's quick collections keep every later one, with all requests in them, until the next full collection: 4 KiB of each
 * request, a sixth of its processor time and three quarters of the longest waits.
 */
export function createRoster<T>(): OpenRoster<T> {
  const entries: Entry<T>[] = []

  const strike = ({ place }: Entry<T>) => {
    const last = entries.pop()
    if (last === undefined || last.place === place) return
    last.place = place
    entries[place] = last
  }
  return {
    get size() {
      return entries.length
    },
    add(item) {
      const entry = { item, place: entries.length }
      entries.push(entry)
      let isHere = true
      return () => {
        if (isHere) strike(entry)
        isHere = false
      }
    },
    /** Over those who are here when it begins: who leaves on the way moves another to its place. */
    [Symbol.iterator]: () => entries.map(({ item }) => item).values(),
  }
}
