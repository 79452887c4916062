import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Run {
  readonly outcome: 'green' | 'red' | 'hung'
  /** The test that failed first, or how the file ended. */
  readonly failed: string
  /** In milliseconds. */
  readonly duration: number
}

/** Runs one test file by itself, until its first failure. After `limit` milliseconds it hangs and is ended. */
export async function runTest(home: string, test: string, limit: number): Promise<Run> {
  const started = performance.now()
  const env = { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: '600' }
  // Into a file: what a process has written to a pipe of ours is lost when it exits at once.
  const output = join(home, '.mutate-output')
  const descriptor = openSync(output, 'w')
  // A group of its own, so that what a test starts ends with it.
  const child = spawn(process.execPath, [test], {
    cwd: home,
    env,
    detached: true,
    stdio: ['ignore', descriptor, descriptor],
  })
  closeSync(descriptor)
  let isHung = false
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nothing of it is left.
    }
  }
  const timer = setTimeout(() => {
    isHung = true
    end()
  }, limit)
  process.once('exit', end)
  const [exitCode] = await once(child, 'exit')
  process.off('exit', end)
  clearTimeout(timer)
  const outcome = isHung ? 'hung' : exitCode === 0 ? 'green' : 'red'
  return {
    outcome,
    failed: firstFailure(readFileSync(output, 'utf8')),
    duration: performance.now() - started,
  }
}

/** The outermost test around the first line that is not ok; without one the last words of the process. */
export function firstFailure(tap: string): string {
  let test = ''
  for (const line of tap.split('\n')) {
    if (line.startsWith('# Subtest: ')) test = line.slice('# Subtest: '.length)
    const failed = /^\s*not ok \d+ - (.*)$/.exec(line)
    if (failed !== null) return test === '' ? (failed[1] ?? '') : test
  }
  return /^\w*Error.*$/m.exec(tap)?.[0] ?? test
}
