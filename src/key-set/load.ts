import type { Milliseconds } from '../config/config.ts'
import type { Holder } from './holder.ts'
import type { Reporter } from './reporter.ts'
import type { FetchKeySet, FetchResult, LoadFailure, ParseKeySet } from './types.ts'

/** How one load ended, as the metric counts it. */
export type FetchOutcome = 'ok' | 'not_modified' | 'error'

export type LoadResult =
  | { readonly kind: 'loaded'; readonly maxAge: Milliseconds | undefined }
  | LoadFailure

export interface LoadDeps {
  readonly fetch: FetchKeySet
  readonly parse: ParseKeySet
  readonly holder: Holder
  readonly reporter: Reporter
  readonly onFetch: (outcome: FetchOutcome) => void
}

const UNEXPECTED = failure('the key set could not be read')

/**
 * One load: fetch, read, and put the keys in the holder's place when there is at least one. Anything else keeps the
 * keys in use. Never rejects; after an abort nothing is changed or told.
 */
export function createLoad(deps: LoadDeps): (signal: AbortSignal) => Promise<LoadResult> {
  const { fetch, holder, reporter, onFetch } = deps
  return async (signal) => {
    const fetched = await fetch(holder.held()?.etag, signal).catch(() => UNEXPECTED)
    const change = await prepare(fetched, deps).catch(() => UNEXPECTED)
    if (signal.aborted) return failure('closed')
    if (change.kind === 'failed') {
      onFetch('error')
      holder.doubt()
      reporter.failed(change, { usable: holder.usableFor() > 0 })
      return change
    }
    onFetch(fetched.kind === 'not-modified' ? 'not_modified' : 'ok')
    change.apply()
    reporter.succeeded()
    return { kind: 'loaded', maxAge: change.maxAge }
  }
}

interface Change {
  readonly kind: 'change'
  readonly maxAge: Milliseconds | undefined
  readonly apply: () => void
}

async function prepare(
  fetched: FetchResult,
  { holder, parse, reporter }: LoadDeps,
): Promise<Change | LoadFailure> {
  if (fetched.kind === 'failed') return fetched
  const { maxAge } = fetched
  const held = holder.held()
  if (fetched.kind === 'not-modified') {
    if (held === undefined) return failure('the answer is "not modified" to a first request')
    return { kind: 'change', maxAge, apply: holder.renew }
  }
  const { text, etag } = fetched
  if (held?.text === text) {
    return { kind: 'change', maxAge, apply: () => holder.replace({ ...held, etag }) }
  }
  const parsed = await parse(text)
  if (parsed.kind !== 'keys') return failure(parsed.reason)
  const { keys, notes } = parsed
  const apply = (): void => {
    holder.replace({ keys, text, etag })
    reporter.replaced(keys, notes)
  }
  return { kind: 'change', maxAge, apply }
}

function failure(reason: string): LoadFailure {
  return { kind: 'failed', reason, summary: reason, retryAfter: undefined }
}
