import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Whatever ends resources: a tap test, or {@link createOwner} in a script. */
export interface Owner {
  teardown(end: () => unknown): void
}

/** For scripts: ends what was started, the newest first. */
export function createOwner(): Owner & { end(): Promise<void> } {
  const ends: (() => unknown)[] = []
  return {
    teardown: (end) => void ends.push(end),
    async end() {
      for (const end of ends.splice(0).reverse()) await end()
    },
  }
}

export interface Exit {
  /** Exit code, or the signal that killed it. */
  readonly code: number | NodeJS.Signals | null
  /** `performance.now()` at the end. */
  readonly at: number
}

/** The built claimgate as a process of its own. */
export interface Program {
  readonly child: ChildProcess
  readonly port: number
  readonly adminPort: number
  readonly exit: Promise<Exit>
  /** The end of what it wrote on both outputs, at most 256 KiB. */
  output(): string
  isReady(): Promise<boolean>
  untilReady(limit?: number): Promise<void>
  /** The sum of a metric's samples whose labels contain `labels`. */
  metric(name: string, labels?: string): Promise<number>
  /** Resident memory in MB and open descriptors, from /proc. */
  usage(): { readonly rss: number; readonly descriptors: number }
}

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string>>
  /** Shell commands to run first in the same process, such as `ulimit -n 256`. */
  readonly before?: string
  readonly nodeArguments?: readonly string[]
  /** Instead of what was built in dist/. */
  readonly cli?: string
}

const CLI = 'dist/cli.js'
const KEPT_OUTPUT = 256 * 1024
const START_LIMIT = 30_000

/** Settings that every started program has: loopback, ports of the system's choice. */
export const BASE_ENV = {
  CLAIMGATE_LISTEN: '127.0.0.1:0',
  CLAIMGATE_ADMIN_LISTEN: '127.0.0.1:0',
} as const

export function spawnProgram(
  owner: Owner,
  { env, before, nodeArguments = [], cli = CLI }: ProgramOptions,
  stdout: 'pipe' | number = 'pipe',
) {
  if (!existsSync(cli)) throw new Error(`${cli} is absent: run "npm run build" first`)
  const program = [process.execPath, ...nodeArguments, cli]
  const { PATH = '', HOME = '' } = process.env
  const [file, ...args] =
    before === undefined ? program : ['sh', '-c', `${before}; exec "$@"`, 'sh', ...program]
  const child = spawn(file as string, args, {
    env: { PATH, HOME, ...BASE_ENV, ...env },
    stdio: ['ignore', stdout, 'pipe'],
  })
  const exit = once(child, 'exit').then(
    ([code, signal]): Exit => ({ code: code ?? signal, at: performance.now() }),
  )
  owner.teardown(() => {
    child.kill('SIGKILL')
    return exit
  })
  return { child, exit }
}

/** Starts claimgate and resolves when it listens. */
export async function startProgram(owner: Owner, options: ProgramOptions): Promise<Program> {
  const { child, exit } = spawnProgram(owner, options)
  let output = ''
  const take = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT)
  }
  child.stderr?.on('data', take)
  const addresses = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`claimgate ${why}; it wrote:\n${output}`))
    const timer = setTimeout(fail, START_LIMIT, 'did not start in time')
    void exit.then(({ code }) => fail(`ended with ${code}`))
    child.stdout?.on('data', (chunk: Buffer) => {
      take(chunk)
      const line = /^\{.*"msg":"listening".*\}$/m.exec(output)
      if (line === null) return
      clearTimeout(timer)
      resolve(line[0])
    })
  })
  return programOf(child, exit, { addresses, output: () => output })
}

export function programOf(
  child: ChildProcess,
  exit: Promise<Exit>,
  { addresses, output }: { addresses: string; output: () => string },
): Program {
  const { listen, admin_listen } = JSON.parse(addresses) as Record<string, string>
  const adminPort = portOf(admin_listen)
  const admin = (path: string) => fetch(`http://127.0.0.1:${adminPort}${path}`)
  const isReady = async () => (await admin('/readyz').catch(() => undefined))?.status === 200
  return {
    child,
    port: portOf(listen),
    adminPort,
    exit,
    output,
    isReady,
    untilReady: (limit = 15_000) => until(isReady, 'ready', limit),
    async metric(name, labels = '') {
      const text = await (await admin('/metrics')).text()
      const lines = text.split('\n').filter((line) => /^[^{ ]+/.exec(line)?.[0] === name)
      const chosen = lines.filter((line) => line.includes(labels))
      return chosen.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
    usage() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return {
        rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
        descriptors: readdirSync(`/proc/${child.pid}/fd`).length,
      }
    },
  }
}

const portOf = (authority = '') => Number(authority.slice(authority.lastIndexOf(':') + 1))

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Polls every 20 ms; throws after `limit`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  limit = 10_000,
): Promise<void> {
  const deadline = performance.now() + limit
  while (performance.now() < deadline) {
    if (await holds()) return
    await pause(20)
  }
  throw new Error(`not ${what} within ${limit} ms`)
}
