import type { Milliseconds } from '../config/config.ts'

const SHOWN_LENGTH = 160

/** A value of the assertion as JSON on one line, cut to 160 characters; nothing in it can move the cursor. */
export function show(value: unknown): string {
  if (value === undefined) return 'absent'
  const text = JSON.stringify(value) ?? 'absent'
  const short = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
  return printable(short)
}

/** Text as it is, with `\u{…}` for what a terminal would obey or hide. */
export const printable = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  )

const UNITS = [
  { name: 'day', size: 86_400, next: 3_600, nextName: 'h' },
  { name: 'h', size: 3_600, next: 60, nextName: 'min' },
  { name: 'min', size: 60, next: 1, nextName: 's' },
] as const

/** A length of time by its two largest units: `4 min 12 s`, `3 h`, `12 days`. */
export function span(length: Milliseconds): string {
  const seconds = Math.round(Math.abs(length) / 1000)
  const unit = UNITS.find(({ size }) => seconds >= size)
  if (unit === undefined) return `${seconds} s`
  const whole = Math.floor(seconds / unit.size)
  const rest = Math.floor((seconds % unit.size) / unit.next)
  const first = `${whole} ${unit.name}${unit.name === 'day' && whole > 1 ? 's' : ''}`
  return rest === 0 || whole >= 10 ? first : `${first} ${rest} ${unit.nextName}`
}

/** `3 min ago`, `in 12 s`, `now`. */
export function distance(at: Milliseconds, now: Milliseconds): string {
  if (Math.abs(at - now) < 500) return 'now'
  return at < now ? `${span(now - at)} ago` : `in ${span(at - now)}`
}

/** What ECMAScript can write as a date. */
const MAX_TIME: Milliseconds = 8.64e15

/** A NumericDate for people: `2027-01-15T08:05:00Z`, or the value itself where it is no date. */
export function showDate(value: unknown): string {
  if (typeof value !== 'number' || !(Math.abs(value * 1000) <= MAX_TIME)) return show(value)
  return new Date(value * 1000).toISOString().replace('.000Z', 'Z')
}
