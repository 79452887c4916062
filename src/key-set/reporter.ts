import type { KeySetLog, LoadFailure, VerificationKey } from './types.ts'

/** Turns loads into log lines: one for each change of state, not one for each try. */
export interface Reporter {
  replaced(keys: readonly VerificationKey[], notes: readonly string[]): void
  /** A load worked, whether or not it brought other keys. */
  succeeded(): void
  /** `usable`: whether earlier keys still serve. */
  failed(failure: LoadFailure, state: { readonly usable: boolean }): void
}

/** Different reasons told in one outage; a source that fails in ever new ways is not followed further. */
const MAX_REASONS = 10
const MAX_LISTED = 10
/** A kid is the source's text: enough of it to recognise a thumbprint. */
const MAX_NAME_LENGTH = 64

export function createReporter(log: KeySetLog): Reporter {
  const told = new Set<string>()
  let loaded = false
  let lapsed = false

  return {
    replaced(keys, notes) {
      const kids = [...new Set(keys.map(({ kid }) => kid?.slice(0, MAX_NAME_LENGTH) ?? null))]
      const fields = { keys: keys.length, kids: kids.slice(0, MAX_LISTED) }
      log.info(fields, loaded ? 'key set changed' : 'key set loaded')
      if (notes.length > 0) {
        log.warn({ notes: notes.slice(0, MAX_LISTED) }, 'key set has keys that need attention')
      }
      loaded = true
    },
    succeeded() {
      if (told.size > 0) log.info({}, 'key set loads again')
      told.clear()
      lapsed = false
    },
    failed({ reason }, { usable }) {
      if (loaded && !usable && !lapsed) {
        lapsed = true
        told.add(reason)
        log.error({ reason }, 'key set is too old to be used')
      }
      if (told.has(reason) || told.size >= MAX_REASONS) return
      told.add(reason)
      if (usable) log.warn({ reason }, 'key set not refreshed, the last good keys stay in use')
      else log.error({ reason }, 'key set not loaded')
    },
  }
}
