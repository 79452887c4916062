import type { KeySetSource, Milliseconds } from '../config/config.ts'
import { createFileFetch } from './file.ts'
import { createKeySet, type KeySetDeps, type KeySetRules } from './key-set.ts'
import { parseJwkSet } from './parse.ts'
import { parseKeyFile } from './pem.ts'
import type { Time } from './refresher.ts'
import { createRemoteFetch } from './remote.ts'
import type { KeySet } from './types.ts'

/** A file is local and cheap to read: often enough that a changed one is in use at once for people. */
const FILE_PERIOD: Milliseconds = 5_000

/** Fixed limits that keep a set that comes up noticed within 15 s, and an outage of an hour under 130 tries. */
const REMOTE_RETRY_LIMIT = { unusable: 8_000, usable: 45_000 }

export interface OpenKeySetDeps extends Pick<KeySetDeps, 'log' | 'onFetch'> {
  /** The algorithms that keys are kept for. */
  readonly algorithms: readonly string[]
}

/** The key set of the settings, with the real clock and network. It loads nothing before `start`. */
export function openKeySet(source: KeySetSource, deps: OpenKeySetDeps): KeySet {
  const { algorithms, log, onFetch } = deps
  const common = { time: REAL_TIME, log, onFetch }
  if (source.kind === 'file') {
    return createKeySet(fileRules(source.cooldown), {
      ...common,
      fetch: createFileFetch(source.path),
      parse: (text) => parseKeyFile(text, algorithms),
    })
  }
  const { refresh, cooldown, maxStale } = source
  return createKeySet(
    { refresh, cooldown, maxStale, retryLimit: REMOTE_RETRY_LIMIT },
    {
      ...common,
      fetch: createRemoteFetch(source),
      parse: (text) => parseJwkSet(text, algorithms),
    },
  )
}

/** A file that was removed or spoilt leaves its last good keys in use: there is no endpoint to have lost touch with. */
export function fileRules(cooldown: Milliseconds): KeySetRules {
  return {
    refresh: FILE_PERIOD,
    cooldown,
    maxStale: Number.POSITIVE_INFINITY,
    retryLimit: { unusable: FILE_PERIOD, usable: FILE_PERIOD },
  }
}

const REAL_TIME: Time = {
  now: () => performance.now(),
  setTimer: (callback, delay) => {
    const timer = setTimeout(callback, delay)
    timer.unref()
    return () => clearTimeout(timer)
  },
  random: Math.random,
}
