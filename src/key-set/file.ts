import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { Milliseconds } from '../config/config.ts'
import { MAX_KEY_SET_SIZE } from './remote.ts'
import { decodeText } from './text.ts'
import type { FetchKeySet, FetchResult, LoadFailure } from './types.ts'

/** A hung network file system must not keep a request waiting. */
const READ_TIMEOUT: Milliseconds = 5_000

/**
 * Reads `jwks_file` by its path and compares its content, not its times: so a directory swapped by symbolic link, as
 * Kubernetes does it, is noticed like any other change. The entity tag is the content's digest.
 */
export function createFileFetch(path: string): FetchKeySet {
  return async (etag, signal) => {
    const expired = AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT)])
    try {
      return await Promise.race([read(path, etag, expired), rejectOnAbort(expired)])
    } catch (error) {
      return unreadable(path, describe(error))
    }
  }
}

async function read(
  path: string,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<FetchResult> {
  const stats = await stat(path)
  // Opening a pipe would wait for a writer.
  if (!stats.isFile()) return unreadable(path, 'it is not a regular file')
  if (stats.size > MAX_KEY_SET_SIZE) return unreadable(path, 'it is larger than 1 MiB')
  const content = await readFile(path, { signal })
  const digest = createHash('sha256').update(content).digest('base64url')
  if (digest === etag) return { kind: 'not-modified', maxAge: undefined }
  const text = decodeText(content)
  if (text === undefined) return unreadable(path, 'it is not UTF-8 text')
  return { kind: 'set', text, etag: digest, maxAge: undefined }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function describe(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'it does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read by this user'
  return 'it cannot be read'
}

function unreadable(path: string, why: string): LoadFailure {
  return {
    kind: 'failed',
    reason: `jwks_file ${path}: ${why}`,
    summary: `the key set file cannot be used: ${why}`,
    retryAfter: undefined,
  }
}
