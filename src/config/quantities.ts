import type { Bytes, Milliseconds } from './config.ts'
import { type Kind, scalar } from './kinds.ts'

const TIME = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const SIZE = { B: 1, KiB: 1024, MiB: 1_048_576 } as const

/**
 * A duration with its unit: `500ms`, `60s`, `10m`, `24h`. No fractions, no sums, no bare numbers. Both ends included,
 * written the same way.
 *
 * @throws TypeError when an end is not a duration below 2^31 ms, where Node's timers overflow
 */
export function duration(least: string, most: string): Kind<Milliseconds> {
  const [from, to] = [bound(least, TIME), bound(most, TIME)]
  const must = `be a duration from ${least} to ${most}, a whole number and its unit (500ms, 60s, 10m, 24h)`
  return scalar('duration', pattern(TIME), (text) => {
    const value = parse(text, TIME)
    return value !== undefined && value >= from && value <= to ? { value } : { must }
  })
}

/** A size with its unit: `512B`, `64KiB`, `1MiB`. Both ends included, written the same way. */
export function size(least: string, most: string): Kind<Bytes> {
  const [from, to] = [bound(least, SIZE), bound(most, SIZE)]
  const must = `be a size from ${least} to ${most}, a whole number and its unit (512B, 64KiB, 1MiB)`
  return scalar('size', pattern(SIZE), (text) => {
    const value = parse(text, SIZE)
    return value !== undefined && value >= from && value <= to ? { value } : { must }
  })
}

type Units = { readonly [unit: string]: number }

function parse(text: string, units: Units): number | undefined {
  const [, digits = '', unit = ''] = /^(0|[1-9]\d{0,9})([A-Za-z]+)$/.exec(text) ?? []
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  return factor === undefined ? undefined : Number(digits) * factor
}

function bound(text: string, units: Units): number {
  const value = parse(text, units)
  if (value === undefined || value >= 2 ** 31) throw new TypeError(`Cannot use ${text} as a bound`)
  return value
}

const pattern = (units: Units) => ({
  type: 'string',
  pattern: `^(0|[1-9][0-9]*)(${Object.keys(units).join('|')})$`,
})
