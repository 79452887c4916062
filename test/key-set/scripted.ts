import type { Test } from 'tap'
import { createKeySet, type KeySetRules } from '../../src/key-set/key-set.ts'
import type { FetchResult, ParsedKeySet, VerificationKey } from '../../src/key-set/types.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'

const SECOND = 1_000
export const HOUR = 3600 * SECOND

export const RULES: KeySetRules = {
  refresh: 60 * SECOND,
  cooldown: 10 * SECOND,
  maxStale: 24 * HOUR,
  retryLimit: { unusable: 8 * SECOND, usable: 45 * SECOND },
}

/** A set of ES256 keys with these names; `undefined` in the text is a key without a name. */
export function setOf(...kids: readonly string[]): FetchResult {
  return { kind: 'set', text: kids.join(' '), etag: undefined, maxAge: undefined }
}

export function failed(reason: string, retryAfter?: number): FetchResult {
  return { kind: 'failed', reason: `host.example: ${reason}`, summary: reason, retryAfter }
}

/** Reads the texts of {@link setOf}; every key is one and the same object, as no test of the rules uses it. */
async function parse(text: string): Promise<ParsedKeySet> {
  if (text === '') return { kind: 'no-signing-key', reason: 'Pomerium has no signing key' }
  if (text === 'garbage') return { kind: 'not-a-key-set', reason: 'the key set is not JSON' }
  const keys = text.split(' ').map((kid) => ({ kid, alg: 'ES256', key: {} }))
  return { kind: 'keys', keys: keys as unknown as readonly VerificationKey[], notes: [] }
}

type Answer = FetchResult | (() => Promise<FetchResult>)

/** A key set on a fake clock whose source answers what the test says. */
export function createScripted(t: Test, rules: Partial<KeySetRules> = {}, random = 0) {
  const clock = createFakeClock(random)
  const log = createLogRecorder()
  const outcomes: string[] = []
  const fetches: { at: number; etag: string | undefined; signal: AbortSignal }[] = []
  const origin = clock.now()
  let answer: Answer = failed('refused')
  const keySet = createKeySet(
    { ...RULES, ...rules },
    {
      time: clock,
      log,
      parse,
      onFetch: (outcome) => outcomes.push(outcome),
      fetch: async (etag, signal) => {
        fetches.push({ at: clock.now() - origin, etag, signal })
        return typeof answer === 'function' ? answer() : answer
      },
    },
  )
  t.teardown(() => keySet.close())
  return {
    keySet,
    clock,
    log,
    outcomes,
    fetches,
    answer: (next: Answer) => {
      answer = next
    },
    /** The names of the keys that serve; `undefined` when nothing can be decided. */
    kids: () => keySet.find('ES256', undefined)?.map(({ kid }) => kid),
  }
}

/** An answer that waits until the test gives it. */
export function held(): {
  answer: () => Promise<FetchResult>
  give: (result: FetchResult) => void
} {
  const { promise, resolve } = Promise.withResolvers<FetchResult>()
  return { answer: () => promise, give: resolve }
}
