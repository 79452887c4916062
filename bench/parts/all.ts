import { connections } from './connections.ts'
import { cores } from './cores.ts'
import { memory } from './memory.ts'
import { micro } from './micro.ts'
import type { Part } from './part.ts'
import { place } from './place.ts'
import { rates } from './rates.ts'
import { refusals } from './refusals.ts'
import { saturation } from './saturation.ts'
import { sizes } from './sizes.ts'
import { start } from './start.ts'

/** By the names that `--part` takes, in the order of the report. */
export const PARTS = {
  saturation,
  micro,
  sizes,
  refusals,
  rates,
  cores,
  place,
  connections,
  memory,
  start,
} as const satisfies Readonly<Record<string, Part>>

export type PartName = keyof typeof PARTS
