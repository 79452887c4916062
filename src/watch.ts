import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { Bytes, Milliseconds } from './config/config.ts'

export interface FileWatch {
  /** From now on these files, as they are now. */
  follow(paths: readonly string[]): void
  close(): void
}

export interface WatchOptions {
  /** Called after each change, when the files have held still for a moment. */
  readonly onChange: () => void
  readonly period?: Milliseconds
}

const PERIOD: Milliseconds = 2_000
/** A file that is being written, or one of several that are being replaced, differs again after this. */
const STILLNESS: Milliseconds = 250
/** A larger file counts by size and time alone. */
const MAX_SIZE: Bytes = 1024 * 1024

/**
 * Watches files by reading them again: that works on every file system, and for a directory that is swapped by symbolic
 * link, as Kubernetes does it. One look at a time, however slow the file system is: a hung one must not take one thread
 * after the other.
 */
export function watchFiles({ onChange, period = PERIOD }: WatchOptions): FileWatch {
  let paths: readonly string[] = []
  let known = ''
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  const look = async () => {
    const looked = paths
    const first = await sealOf(looked)
    if (first === known || looked !== paths) return
    await wait(STILLNESS, undefined, { ref: false })
    if ((await sealOf(looked)) !== first || looked !== paths || isClosed) return
    known = first
    onChange()
  }
  const plan = () => {
    if (isClosed) return
    timer = setTimeout(() => void look().finally(plan), period)
    timer.unref()
  }
  plan()
  return {
    follow(next) {
      paths = next
      known = next.map(sealNow).join()
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

interface Looks {
  readonly size: number
  readonly mtimeMs: number
  isFile(): boolean
}

const isSmallFile = (stats: Looks) => stats.isFile() && stats.size <= MAX_SIZE
const outline = ({ size, mtimeMs }: Looks) => `${size} ${mtimeMs}`
const digest = (content: Buffer) => createHash('sha256').update(content).digest('base64url')
const fault = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : 'fault')

const sealOf = async (paths: readonly string[]): Promise<string> => {
  const seals: string[] = []
  for (const path of paths) seals.push(await seal(path))
  return seals.join()
}

async function seal(path: string): Promise<string> {
  try {
    const stats = await stat(path)
    return isSmallFile(stats) ? digest(await readFile(path)) : outline(stats)
  } catch (error) {
    return String(fault(error))
  }
}

/** Without waiting, so that nothing can change between what was just read and this. */
function sealNow(path: string): string {
  try {
    const stats = statSync(path)
    return isSmallFile(stats) ? digest(readFileSync(path)) : outline(stats)
  } catch (error) {
    return String(fault(error))
  }
}
