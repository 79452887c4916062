import type { Peer } from '../peers/peer.ts'
import type { Bar } from '../report/svg.ts'
import type { Table } from '../report/table.ts'
import type { Stage } from '../stage.ts'

/** What is known when a part begins. */
export interface PartContext {
  readonly stage: Stage
  /** Those that were asked for and can run here. */
  readonly peers: readonly Peer[]
  readonly rounds: number
  /** 1, or less for a look at whether everything works. */
  readonly scale: number
  readonly withCounters: boolean
  readonly tell: (text: string) => void
}

export interface PartResult {
  readonly tables: readonly Table[]
  readonly plot?: { readonly title: string; readonly bars: readonly Bar[] }
  /** Everything that was measured, for the JSON file. */
  readonly data: unknown
}

export type Part = (context: PartContext) => Promise<PartResult>

/** So many, and at least `least` in a quick run. */
export const scaled = (count: number, scale: number, least = 20): number =>
  Math.max(least, Math.round(count * scale))

/** The peers of these names, in this order, as far as they are there. */
export const chosen = (peers: readonly Peer[], names: readonly string[]): readonly Peer[] =>
  names.flatMap((name) => peers.filter((peer) => peer.name === name))

/** Requests of the warm-up, as compilers want them. */
export const WARM_UP = 40_000

export const CONNECTIONS = 32
