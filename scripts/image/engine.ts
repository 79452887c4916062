import { spawn, spawnSync } from 'node:child_process'
import { get, type IncomingHttpHeaders } from 'node:http'

/** A command that gave an answer, and how it ended. */
export interface Outcome {
  readonly status: number
  /** Both outputs, for people. */
  readonly output: string
  /** What it says on standard output alone. */
  readonly answer: string
}

/** Runs a container engine: docker, podman, or what CONTAINER_ENGINE says (several words are allowed). */
export interface Engine {
  readonly name: string
  /** Throws with the engine's own words when it does not end with 0. */
  run(...args: readonly string[]): string
  /** For what may fail. */
  try(...args: readonly string[]): Outcome
  /** Like `run`, and meanwhile other work goes on. */
  later(...args: readonly string[]): Promise<string>
}

const CALL_TIMEOUT_MS = 15 * 60_000

export function createEngine(command: string): Engine {
  const [program = '', ...first] = command.split(' ')
  const attempt = (...args: readonly string[]): Outcome => {
    const { status, stdout, stderr, error } = spawnSync(program, [...first, ...args], {
      encoding: 'utf8',
      timeout: CALL_TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
    })
    const output = [stdout, stderr, error?.message].filter(Boolean).join('\n').trim()
    return { status: status ?? 1, output, answer: (stdout ?? '').trim() }
  }
  return {
    name: command,
    run: (...args) => answerOf(command, args, attempt(...args)),
    try: attempt,
    later: async (...args) => answerOf(command, args, await runLater(program, [...first, ...args])),
  }
}

function answerOf(command: string, args: readonly string[], outcome: Outcome): string {
  const { status, output, answer } = outcome
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${output}`)
  return answer
}

const runLater = (program: string, args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { timeout: CALL_TIMEOUT_MS })
    const texts = { answer: '', output: '' }
    const take = (names: readonly (keyof typeof texts)[]) => (chunk: string) => {
      for (const name of names) texts[name] += chunk
    }
    child.stdout.setEncoding('utf8').on('data', take(['answer', 'output']))
    child.stderr.setEncoding('utf8').on('data', take(['output']))
    const end = (status: number) =>
      resolve({ status, output: texts.output.trim(), answer: texts.answer.trim() })
    child.on('error', ({ message }) => {
      texts.output += message
      end(1)
    })
    child.on('close', (status) => end(status ?? 1))
  })

/** The first engine that answers; `undefined` when none does. */
export const findEngine = (commands: readonly string[]): Engine | undefined =>
  commands.map(createEngine).find((engine) => engine.try('info').status === 0)

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const REPLY_TIMEOUT_MS = 10_000

/** Asks `http://HOST:PORT/PATH` on a connection of its own; rejects when nobody answers. */
export const ask = (
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  host = '127.0.0.1',
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const request = get(
      { host, port, path, headers, agent: false, timeout: REPLY_TIMEOUT_MS },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          body += chunk
        })
        answer.on('error', reject)
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body })
        })
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
  })

const POLL_MS = 10

/** The first answer of `probe` that `isWanted`; throws after `limit` milliseconds, with what there was instead. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  limit = 60_000,
): Promise<T> {
  const end = performance.now() + limit
  let last: unknown
  while (performance.now() < end) {
    try {
      const answer = await probe()
      if (isWanted(answer)) return answer
      last = answer
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`${what}: not within ${limit} ms; last: ${JSON.stringify(last)} ${String(last)}`)
}

/** Tells what holds and what does not; `failed` counts the latter. */
export function createReport() {
  let failed = 0
  return {
    holds(what: string, isTrue: boolean, seen: unknown = '') {
      if (!isTrue) failed++
      const detail = isTrue ? '' : `: ${typeof seen === 'string' ? seen : JSON.stringify(seen)}`
      process.stdout.write(`${isTrue ? 'ok    ' : 'NOT OK'} ${what}${detail}\n`)
    },
    figure(what: string, value: string) {
      process.stdout.write(`       ${what}: ${value}\n`)
    },
    failed: () => failed,
  }
}

export type Report = ReturnType<typeof createReport>
