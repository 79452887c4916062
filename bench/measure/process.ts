import { readdirSync, readFileSync } from 'node:fs'

/** Nanoseconds that one thread has run, from the text of its `schedstat`. `0` when there is no such text. */
export function nanosecondsOf(schedstat: string): number {
  const [onProcessor = '0'] = schedstat.trim().split(' ')
  return Number(onProcessor)
}

/** The parent in the text of `/proc/PID/stat`; the name before it may hold blanks and brackets. */
export function parentOf(stat: string): number | undefined {
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return parent === undefined ? undefined : Number(parent)
}

/** A field of `/proc/PID/status` in KiB, such as `VmRSS`. `0` when it is absent. */
export function kibibytesOf(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0)
}

/** A process or thread may end between two reads: what is gone counts as empty. */
const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const numbersIn = (folder: string): readonly number[] => {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** `pid` and everything it has started, and they. */
export function processTree(pid: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const each of numbersIn('/proc')) {
    const parent = parentOf(read(`/proc/${each}/stat`))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), each])
  }
  const tree = [pid]
  for (const each of tree) tree.push(...(children.get(each) ?? []))
  return tree
}

/** Nanoseconds of processor time of all threads that live in these processes. */
export function processorTime(pids: readonly number[]): number {
  let sum = 0
  for (const pid of pids)
    for (const thread of numbersIn(`/proc/${pid}/task`))
      sum += nanosecondsOf(read(`/proc/${pid}/task/${thread}/schedstat`))
  return sum
}

/** Resident memory of these processes, KiB. Pages that they share count in each. */
export function residentMemory(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kibibytesOf(read(`/proc/${pid}/status`), 'VmRSS'), 0)
}

/** Why processor time cannot be read here, or `undefined`. */
export function missingAccounting(): string | undefined {
  return processorTime([process.pid]) > 0
    ? undefined
    : 'no processor time in /proc/PID/task/*/schedstat: this needs Linux'
}
