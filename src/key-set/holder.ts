import type { Milliseconds } from '../config/config.ts'
import type { KeySetStatus, VerificationKey } from './types.ts'

/** The keys in use and how old they are. */
export interface Holder {
  find(alg: string, kid: string | undefined): readonly VerificationKey[] | undefined
  /** Whether some key bears this name. */
  has(kid: string | undefined): boolean
  /** Takes the place of every earlier key. */
  replace(content: HeldKeys): void
  /** The source still says the same: the keys are as fresh as now. */
  renew(): void
  /** A load failed: from now until the next good one the age of the keys counts. */
  doubt(): void
  held(): HeldKeys | undefined
  /** Time until the keys lapse, without end while loads work; 0 when there are none or they have lapsed. */
  usableFor(): Milliseconds
  /** `summary` is why the last load failed; `undefined` when it did not. */
  status(summary: string | undefined): KeySetStatus
}

export interface HeldKeys {
  readonly keys: readonly VerificationKey[]
  /** The text they were read from: an equal text is not imported again. */
  readonly text: string
  readonly etag: string | undefined
}

type Index = ReadonlyMap<string | undefined, readonly VerificationKey[]>

const NO_KEYS: readonly VerificationKey[] = []

/**
 * Keys lapse when loads fail and the last good one is `maxStale` ago. While loads work they serve from one to the next,
 * however far apart. `now` is a monotonic clock: setting the wall clock neither ages nor refreshes the keys.
 */
export function createHolder(now: () => Milliseconds, maxStale: Milliseconds): Holder {
  let held: HeldKeys | undefined
  let byAlgorithm: ReadonlyMap<string, { all: readonly VerificationKey[]; byName: Index }> =
    new Map()
  let loadedAt = 0
  let doubted = false
  const usableFor = (): Milliseconds => {
    if (held === undefined) return 0
    return doubted ? Math.max(0, loadedAt + maxStale - now()) : Number.POSITIVE_INFINITY
  }
  const renew = (): void => {
    loadedAt = now()
    doubted = false
  }

  return {
    find(alg, kid) {
      if (usableFor() === 0) return undefined
      const fitting = byAlgorithm.get(alg)
      if (fitting === undefined) return NO_KEYS
      if (kid === undefined) return fitting.all
      // A key without a name (PEM, or a JWK without kid) fits any name that no other key bears.
      return fitting.byName.get(kid) ?? fitting.byName.get(undefined) ?? NO_KEYS
    },
    has: (kid) => kid !== undefined && (held?.keys.some((key) => key.kid === kid) ?? false),
    replace(content) {
      held = content
      byAlgorithm = indexByAlgorithm(content.keys)
      renew()
    },
    renew,
    doubt() {
      doubted = true
    },
    held: () => held,
    usableFor,
    status(summary) {
      const age = held === undefined ? undefined : now() - loadedAt
      if (held !== undefined && usableFor() > 0) {
        return { usable: true, keys: held.keys.length, age, reason: undefined }
      }
      return { usable: false, keys: 0, age, reason: describe(held !== undefined, summary) }
    },
  }
}

function indexByAlgorithm(keys: readonly VerificationKey[]) {
  const groups = Map.groupBy(keys, ({ alg }) => alg)
  return new Map(
    [...groups].map(([alg, all]) => [alg, { all, byName: Map.groupBy(all, ({ kid }) => kid) }]),
  )
}

function describe(lapsed: boolean, summary: string | undefined): string {
  const cause = summary === undefined ? '' : `: ${summary}`
  if (lapsed) return `the last good key set is too old to be used${cause}`
  return summary === undefined ? 'the key set is still loading' : `no key set was loaded${cause}`
}
