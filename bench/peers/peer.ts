import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { processTree } from '../measure/process.ts'
import { pinned } from '../pin.ts'
import type { Stage } from '../stage.ts'

/** A proxy that can be measured. */
export interface Peer {
  /** As `--only` takes it. */
  readonly name: string
  readonly title: string
  /** `none`: it forwards everything, and what a client forged with it. */
  readonly verifies: 'all' | 'none'
  /** What its checks do not cover, by name of the conformance case. Each is shown beside its figures. */
  readonly gaps?: readonly string[]
  /** In words: what else the others do and it does not. */
  readonly lacks?: string
  /** Why it cannot run here, or `undefined`. */
  available(): string | undefined
  start(stage: Stage): Promise<RunningPeer>
}

export interface RunningPeer {
  readonly port: number
  readonly version: string
  /** All of its processes. */
  readonly pids: readonly number[]
  /** From its start to its first answer of 200, milliseconds; as exact as the 2 ms between two tries. */
  readonly startTime: number
  end(): Promise<void>
}

/** The output of `program`, both streams; `undefined` when it cannot be run. */
export function outputOf(program: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 })
  return error === undefined ? `${stdout}${stderr}` : undefined
}

/** The first whole version in what `program` says about itself; its own path may hold others. */
export function versionOf(program: string, args: readonly string[]): string {
  const text = (outputOf(program, args) ?? '').replaceAll(program, '')
  return /\d+\.\d+(?:\.\d+)?/.exec(text)?.[0] ?? 'unknown'
}

/** Why a program that is looked for in PATH cannot be used. */
export const missingProgram = (program: string, args: readonly string[]): string | undefined =>
  outputOf(program, args) === undefined ? `${program} is not in PATH` : undefined

const PORTS = { first: 20_000, count: 12_000 }

/**
 * A free port on loopback for programs that must be told one: below the range from which the system gives ports to
 * clients, and bound once to see that nobody has it.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
  throw new Error('no free port found')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

export interface Launch {
  readonly stage: Stage
  readonly name: string
  readonly port: number
  readonly version: string
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** Its standard output goes through a pipe to a process that reads and forgets it, as in a container. */
  readonly output?: 'pipe'
}

const START_LIMIT = 20_000

/** Starts the command on the proxy's processors and resolves when its port answers 200 to a good request. */
export async function launch(options: Launch): Promise<RunningPeer> {
  const { stage, name, port, version } = options
  const errors = join(stage.folder, `${name}.stderr`)
  const set = stage.requests('good')
  const begin = performance.now()
  const child = spawnPeer(options, errors)
  const exit = once(child, 'exit')
  let pids: readonly number[] = [child.pid ?? 0]
  const end = async () => {
    // The first has started the others and would start them anew.
    for (const pid of pids) killIfThere(pid)
    await exit
    stage.atEnd.delete(end)
  }
  stage.atEnd.add(end)
  const deadline = begin + START_LIMIT
  const first = { kind: 'load', connections: 1, count: 1, rate: 0, status: 200 } as const
  for (;;) {
    const outcome = await stage.run({ ...first, set, port, offset: 0 }).catch(String)
    if (typeof outcome !== 'string') break
    if (child.exitCode === null && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      continue
    }
    await end()
    throw new Error(`${name} did not start: ${outcome}\n${readFileSync(errors, 'utf8')}`)
  }
  const startTime = performance.now() - begin
  pids = processTree(child.pid ?? 0)
  return { port, version, pids, startTime, end }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Starts the command and no more. */
export function spawnPeer(options: Launch, errors: string): ChildProcess {
  const { stage, command, env = {} } = options
  const [program, ...args] = pinned(stage.cores.proxy, command)
  const { PATH = '', HOME = '' } = process.env
  const out = openSync(errors, 'w')
  const sink = options.output === 'pipe' ? openSink(options) : undefined
  const child = spawn(program, args, {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', sink?.fd ?? out, out],
  })
  child.on('error', () => undefined)
  closeSync(out)
  sink?.close()
  return child
}

/** A named pipe that `cat` empties on the load's processors; it ends with the last writer. */
function openSink({ stage, name }: Launch) {
  const path = join(stage.folder, `${name}-${Math.random().toString(36).slice(2)}.pipe`)
  spawnSync('mkfifo', [path])
  // Both ends, so that opening does not wait for the other.
  const fd = openSync(path, 'r+')
  const reader = openSync(path, 'r')
  const [program, ...args] = pinned(stage.cores.load, ['cat'])
  spawn(program, args, { stdio: [reader, 'ignore', 'ignore'] }).on('error', () => undefined)
  return {
    fd,
    close() {
      closeSync(fd)
      closeSync(reader)
    },
  }
}
