import type { Test } from 'tap'
import { createRemoteFetch, type RemoteSource } from '../../src/key-set/remote.ts'
import type { FetchResult } from '../../src/key-set/types.ts'

/** The settings of a remote key set with the defaults. */
export function sourceOf(uri: URL, changes: Partial<RemoteSource> = {}): RemoteSource {
  return {
    kind: 'remote',
    uri,
    connect: undefined,
    caFiles: [],
    clientCertFile: undefined,
    clientKeyFile: undefined,
    timeout: 5_000,
    refresh: 60_000,
    cooldown: 10_000,
    maxStale: 86_400_000,
    ...changes,
  }
}

/** One fetch with a source of its own. */
export function fetchOnce(
  uri: URL,
  changes: Partial<RemoteSource> = {},
  etag?: string,
): Promise<FetchResult> {
  return createRemoteFetch(sourceOf(uri, changes))(etag, new AbortController().signal)
}

/** The reason of a failure, with the endpoint's address left out. */
export async function reasonOf(result: FetchResult | Promise<FetchResult>): Promise<string> {
  const settled = await result
  if (settled.kind !== 'failed') return `not a failure: ${settled.kind}`
  return settled.reason.replace(/^[^ ]+( \(dialled [^ )]+\))?: /, '')
}

/** How a fetch ends in a process of its own, with these variables. */

/** Waits for the server to see its last connection close. */
export async function closesSoon(t: Test, connections: () => number): Promise<void> {
  for (let tries = 0; connections() > 0 && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  t.equal(connections(), 0, 'no connection is left')
}
