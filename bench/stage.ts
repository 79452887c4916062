import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoadResult } from './load/generator.ts'
import type { Job, Reply, RequestSet } from './load/worker.ts'
import { pinned } from './pin.ts'
import {
  type BenchKey,
  createBenchKey,
  HOST,
  keySetOf,
  TOKEN_SETS,
  type TokenSet,
} from './tokens.ts'

/** Processors by their numbers, as `taskset` takes them; `undefined`: nothing is pinned. */
export interface Cores {
  readonly proxy: string | undefined
  readonly load: string | undefined
  /** How many `proxy` names: peers start as many threads. */
  readonly count: number
}

/** Everything around a peer: keys, tokens, app, load. */
export interface Stage {
  readonly cores: Cores
  readonly key: BenchKey
  readonly upstreamPort: number
  /** Files of this run; removed at its end. */
  readonly folder: string
  readonly keySetFile: string
  readonly keySetUri: string
  readonly publicKeyFile: string
  /** The requests of a set, with what is not plain about them. */
  requests(tokens: TokenSet | undefined, shape?: Partial<RequestSet>): RequestSet
  run(job: Extract<Job, { kind: 'load' }>): Promise<LoadResult>
  do(job: Exclude<Job, { kind: 'load' }>): Promise<void>
  /** What is still running and must be ended with the stage. */
  readonly atEnd: Set<() => Promise<void>>
  end(): Promise<void>
}

export interface StageOptions {
  readonly cores: Cores
  /** Tokens of the plain set. */
  readonly tokens: number
}

/** The other sets are smaller: still more than a cache of tokens would keep. */
const MOST_OF_OTHERS = 2_000

/** Starts app, load and key set endpoint, and makes the keys. */
export async function openStage({ cores, tokens }: StageOptions): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-bench-'))
  const key = createBenchKey()
  const file = (name: string, content: string): string => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const keySet = JSON.stringify(keySetOf(key))
  const endpoint = await serveKeySet(keySet)
  const upstream = await startUpstream(cores.load)
  const worker = startWorker(cores.load)
  const made = new Map<TokenSet, string>()
  const atEnd = new Set<() => Promise<void>>()
  const tokensFile = (set: TokenSet): string => {
    const count = set === 'good' ? tokens : Math.min(tokens, MOST_OF_OTHERS)
    const path = made.get(set) ?? file(`${set}.tokens`, TOKEN_SETS[set](key, count).join('\n'))
    made.set(set, path)
    return path
  }
  const run = async (job: Extract<Job, { kind: 'load' }>): Promise<LoadResult> => {
    const result = await worker.run(job)
    if (result === undefined) throw new Error('the load has no result')
    return result
  }
  return {
    cores,
    key,
    folder,
    upstreamPort: upstream.port,
    keySetFile: file('jwks.json', keySet),
    keySetUri: `http://127.0.0.1:${endpoint.port}/.well-known/pomerium/jwks.json`,
    publicKeyFile: file('key.pem', String(key.publicKey.export({ format: 'pem', type: 'spki' }))),
    requests: (set, shape = {}) => ({
      method: 'GET',
      target: '/',
      host: HOST,
      body: 0,
      tokens: set === undefined ? undefined : tokensFile(set),
      ...shape,
    }),
    run,
    async do(job) {
      await worker.run(job)
    },
    atEnd,
    async end() {
      for (const endOne of [...atEnd]) await endOne()
      worker.end()
      upstream.end()
      endpoint.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function serveKeySet(keySet: string) {
  const server = createServer((_request, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.setHeader('Content-Type', 'application/json')
    response.end(keySet)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    end() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function startUpstream(cores: string | undefined) {
  const [program, ...args] = pinned(cores, [process.execPath, 'bench/load/upstream.ts'])
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { port: Number(line.toString()), end: () => void child.stdin.end() }
}

function startWorker(cores: string | undefined) {
  const [program, ...args] = pinned(cores, [process.execPath, 'bench/load/worker.ts'])
  const child: ChildProcess = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let settle: (reply: Reply) => void = () => undefined
  child.on('message', (reply: Reply) => settle(reply))
  child.on('exit', () => settle({ error: 'the load process has ended' }))
  return {
    async run(job: Job): Promise<LoadResult | undefined> {
      const reply = await new Promise<Reply>((resolve) => {
        settle = resolve
        child.send(job)
      })
      if ('error' in reply) throw new Error(reply.error)
      return reply.result
    },
    end: () => {
      if (child.connected) child.disconnect()
    },
  }
}
