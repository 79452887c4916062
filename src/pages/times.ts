/** Beyond it `Date` has no text. */
const LAST_SECOND = 8.64e12

const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** A NumericDate (RFC 7519 section 2) as people write it, in UTC; `undefined` where there is no such date. */
export function absoluteTime(seconds: number): string | undefined {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > LAST_SECOND) return undefined
  const text = new Date(Math.floor(seconds) * 1000).toISOString()
  return `${text.slice(0, -5).replace('T', ' ')} UTC`
}

/** `4 minutes 58 seconds ago`, `in 2 hours`, `just now`: the two largest units, in whole seconds. */
export function relativeTime(seconds: number, now: number): string {
  const distance = Math.round(seconds - now)
  if (distance === 0) return 'just now'
  const words = duration(Math.abs(distance))
  return distance > 0 ? `in ${words}` : `${words} ago`
}

function duration(seconds: number): string {
  const first = UNITS.findIndex(([, size]) => seconds >= size)
  const parts: string[] = []
  let rest = seconds
  for (const [name, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`)
  }
  return parts.join(' ')
}
