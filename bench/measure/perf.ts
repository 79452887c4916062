import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** Counted while something ran. */
export interface Counters {
  readonly instructions: number
  readonly cycles: number
}

const EVENTS = 'instructions,cycles'

/** The counters in the output of `perf stat -x,`; `undefined` when one could not be counted here. */
export function parseCounters(text: string): Counters | undefined {
  const counted = (event: string): number => {
    const line = text.split('\n').find((each) => each.split(',')[2]?.split(':')[0] === event)
    return Number.parseInt(line ?? '', 10)
  }
  const counters = { instructions: counted('instructions'), cycles: counted('cycles') }
  return counters.instructions > 0 && counters.cycles > 0 ? counters : undefined
}

/** Why instructions cannot be counted here, or `undefined`. Virtual machines often have no counters. */
export function missingCounters(): string | undefined {
  const { error, stderr } = spawnSync('perf', ['stat', '-x,', '-e', EVENTS, 'true'], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  if (error !== undefined) return 'perf is not installed'
  return parseCounters(stderr) === undefined
    ? 'the processor gives no counters to this machine'
    : undefined
}

/**
 * Runs `work` and counts what `pids` execute meanwhile. Attached counters slow down what switches often, so processor
 * time is never taken in the same pass.
 */
export async function countWhile(
  pids: readonly number[],
  work: () => Promise<void>,
): Promise<Counters | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-perf-'))
  const output = join(folder, 'counters')
  const perf = spawn(
    'perf',
    [
      ...['stat', '-x,', '-o', output, '-e', EVENTS, '-D', '-1', '--control', 'fd:3,4'],
      ...['-p', pids.join(',')],
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  )
  const ended = once(perf, 'exit')
  try {
    await order(perf, 'enable')
    await work()
    await order(perf, 'disable')
  } finally {
    perf.kill('SIGINT')
    await ended
  }
  const counters = parseCounters(readFileSync(output, 'utf8'))
  rmSync(folder, { recursive: true })
  return counters
}

/** Resolves when perf has said that it did so; it has attached itself by then. */
async function order(perf: ChildProcess, what: 'enable' | 'disable'): Promise<void> {
  const [, , , control, answers] = perf.stdio as [null, null, null, Writable, Readable]
  const answered = once(answers, 'data', { signal: AbortSignal.timeout(10_000) })
  control.write(`${what}\n`)
  await answered
}
