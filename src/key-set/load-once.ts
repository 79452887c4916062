import type { KeySetSource } from '../config/config.ts'
import { openKeySet } from './open.ts'
import type { KeySet } from './types.ts'

/** A key set after its first load, whether or not that worked. To be closed by the caller. */
export interface LoadedOnce {
  readonly keySet: KeySet
  /** Names of its keys, `null` for a key without one; the first ten. */
  readonly kids: () => readonly (string | null)[]
  /** One sentence for each key that was left out. */
  readonly notes: () => readonly string[]
  /** Why there are no keys; names the setting that may help. */
  readonly failure: () => string | undefined
}

/** Loads the key set as the server does, and waits for it. Never rejects; bounded by the source's timeout. */
export async function loadKeySetOnce(
  source: KeySetSource,
  algorithms: readonly string[],
): Promise<LoadedOnce> {
  // The key set tells its log what it would tell nobody else.
  const told = new Map<string, unknown>()
  const note = (fields: object) => {
    for (const [name, value] of Object.entries(fields)) told.set(name, value)
  }
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const log = { info: note, warn: note, error: note }
  const keySet = openKeySet(source, { algorithms, log, onFetch: resolve })
  keySet.start()
  await promise
  const list = <T>(name: string) => (told.get(name) ?? []) as readonly T[]
  return {
    keySet,
    kids: () => list<string | null>('kids'),
    notes: () => list<string>('notes'),
    failure: () => told.get('reason') as string | undefined,
  }
}
