import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Owner } from '../helpers/program.ts'

const START_TIMEOUT_MS = 30_000

export interface Running {
  readonly child: ChildProcess
  /** What the program wrote so far, standard output and error in one. */
  output(): string
  /** The first match in the output; rejects when the program ends or 30 s pass before it. */
  until(wanted: RegExp): Promise<RegExpExecArray>
  /** Sends the signal and resolves with exit code or signal. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
}

/** Starts a program that ends with its owner. Its environment is PATH, HOME and `env`, nothing else. */
export const run = (
  t: Owner,
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Running => {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(program, args, {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const take = (chunk: Buffer) => {
    output += chunk.toString('utf8')
    child.emit('output')
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    const [code, killedBy] = await ended
    return code ?? killedBy
  }
  t.teardown(() => end('SIGKILL'))
  const until = (wanted: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${program} ${why}; it wrote:\n${output}`))
      const timer = setTimeout(fail, START_TIMEOUT_MS, `did not write ${wanted} in time`)
      const look = () => {
        const match = wanted.exec(output)
        if (match === null) return
        clearTimeout(timer)
        resolve(match)
      }
      child.on('output', look)
      child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
      look()
    })
  return { child, output: () => output, until, end }
}
