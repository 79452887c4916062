import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import type { Cores } from './stage.ts'

/** A command line that runs on these processors alone. */
export function pinned(
  cores: string | undefined,
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  return cores === undefined ? command : ['taskset', '-c', cores, ...command]
}

const canPin = (): boolean => spawnSync('taskset', ['--version']).error === undefined

/** All of the machine's, also those on which this process may not run. */
const processors = (): number => cpus().length

/** The proxy on the first processor, everything else on the second, or all of it where the system likes. */
export function oneCore(): Cores {
  return canPin() && processors() > 1
    ? { proxy: '0', load: '1', count: 1 }
    : { proxy: undefined, load: undefined, count: 1 }
}

/** The proxy on two processors; load and app beside it where there are more, else among them. */
export function twoCores(): Cores | undefined {
  const count = processors()
  if (!canPin() || count < 2) return undefined
  const load = count > 2 ? `2-${count - 1}` : '0,1'
  return { proxy: '0,1', load, count: 2 }
}

/** Keeps this process, which only waits and writes, off the proxy's processor. */
export function pinSelf({ load }: Cores): void {
  if (load !== undefined) spawnSync('taskset', ['-a', '-cp', load, `${process.pid}`])
}
