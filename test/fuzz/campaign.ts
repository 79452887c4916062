import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { addTally, type Finding } from './drive.ts'
import type { Fuzzer, Tally } from './fuzzer.ts'
import type { Message, Task } from './worker.ts'

export interface Part {
  readonly seed: number
  readonly seconds: number
  /** Processes at the same time. */
  readonly jobs: number
  /** This case alone. */
  readonly only: number | undefined
  readonly onFinding: (finding: Finding) => void
}

export interface PartResult {
  readonly cases: number
  readonly seconds: number
  readonly wrong: number
  /** Processes that ended before they had reported. */
  readonly crashes: number
  readonly tally: Tally
  /** Of the process that grew most, MiB after its first second and at its end. */
  readonly memory: readonly [number, number]
}

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
/** A process that has not reported so long after its time is over is stopped, and counts as a crash. */
const GRACE_SECONDS = 60

/** Runs one fuzzer in `jobs` processes at once. */
export async function runPart(fuzzer: Fuzzer, part: Part): Promise<PartResult> {
  const started = performance.now()
  const jobs = part.only === undefined ? part.jobs : 1
  const tasks = Array.from({ length: jobs }, (_, i): Task => {
    const task = { fuzzer: fuzzer.name, seed: part.seed, seconds: part.seconds, step: jobs }
    return part.only === undefined ? { ...task, first: i } : { ...task, first: part.only, limit: 1 }
  })
  const results = await Promise.all(tasks.map((task) => runTask(task, part.onFinding)))
  const tally: Tally = new Map()
  for (const result of results) addTally(tally, result.tally)
  const grown = results.toSorted(({ memory: a }, { memory: b }) => b[1] - b[0] - (a[1] - a[0]))
  const sum = (of: (result: TaskResult) => number) => results.reduce((n, each) => n + of(each), 0)
  return {
    cases: sum(({ cases }) => cases),
    seconds: (performance.now() - started) / 1000,
    wrong: sum(({ wrong }) => wrong),
    crashes: sum(({ crashed }) => (crashed ? 1 : 0)),
    tally,
    memory: grown[0]?.memory ?? [0, 0],
  }
}

interface TaskResult {
  readonly cases: number
  readonly wrong: number
  readonly crashed: boolean
  readonly tally: readonly (readonly [string, number])[]
  readonly memory: readonly [number, number]
}

function runTask(task: Task, onFinding: (finding: Finding) => void): Promise<TaskResult> {
  return new Promise((resolve) => {
    let done: TaskResult | undefined
    const child = fork(WORKER, [JSON.stringify(task)])
    const timer = setTimeout(() => child.kill('SIGKILL'), (task.seconds + GRACE_SECONDS) * 1000)
    child.on('message', (message: Message) => {
      if (message.kind === 'finding') return onFinding(message.finding)
      const { cases, wrong, tally, memory } = message
      done = {
        cases,
        wrong,
        tally,
        crashed: false,
        memory: [mebibytes(memory[0]), mebibytes(memory[1])],
      }
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (done !== undefined && code === 0) return resolve(done)
      const what = `the process ended with ${signal ?? code}`
      onFinding({ fuzzer: task.fuzzer, seed: task.seed, index: -1, what })
      const nothing = { cases: 0, wrong: 0, tally: [], memory: [0, 0] } as const
      resolve({ ...nothing, ...done, crashed: true })
    })
  })
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 1024)
