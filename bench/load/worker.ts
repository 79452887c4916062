/**
 * The load, a process of its own that does one job after the other. Jobs and results are IPC messages; a failed
 * job is answered with its error. Ends when its parent does.
 */
import { readFileSync } from 'node:fs'
import { generateLoad, type Load, type LoadResult } from './generator.ts'
import { type Held, type HeldWebSockets, holdIdle, holdWebSockets } from './held.ts'
import { prepareRequests, type RequestBytes, type RequestShape } from './requests.ts'

/** Requests that are prepared once and used again by every job that names the same ones. */
export interface RequestSet extends RequestShape {
  /** A file with one token a line; `undefined`: no assertion is sent. */
  readonly tokens: string | undefined
}

export type Job =
  | ({ readonly kind: 'load'; readonly set: RequestSet } & Omit<Load, 'requests'>)
  | {
      readonly kind: 'idle'
      readonly set: RequestSet
      readonly port: number
      readonly count: number
    }
  | {
      readonly kind: 'websockets'
      readonly set: RequestSet
      readonly port: number
      readonly count: number
    }
  | { readonly kind: 'echo'; readonly rounds: number; readonly bytes: number }
  | { readonly kind: 'close' }

export type Reply = { readonly result: LoadResult | undefined } | { readonly error: string }

const prepared = new Map<string, readonly RequestBytes[]>()
const held: Held[] = []
let webSockets: HeldWebSockets | undefined

const tokensOf = ({ tokens }: RequestSet): readonly string[] =>
  tokens === undefined ? [''] : readFileSync(tokens, 'latin1').trimEnd().split('\n')

function requestsOf(set: RequestSet): readonly RequestBytes[] {
  const key = JSON.stringify(set)
  const requests = prepared.get(key) ?? prepareRequests(set, tokensOf(set))
  prepared.set(key, requests)
  return requests
}

async function run(job: Job): Promise<LoadResult | undefined> {
  switch (job.kind) {
    case 'load':
      return generateLoad({ ...job, requests: requestsOf(job.set) })
    case 'idle':
      held.push(await holdIdle(job.port, job.count, requestsOf(job.set)))
      return undefined
    case 'websockets':
      webSockets = await holdWebSockets(job.port, job.count, {
        host: job.set.host,
        tokens: tokensOf(job.set),
      })
      held.push(webSockets)
      return undefined
    case 'echo':
      await webSockets?.echo(job.rounds, job.bytes)
      return undefined
    case 'close':
      for (const each of held.splice(0)) each.close()
      webSockets = undefined
      return undefined
  }
}

process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result } satisfies Reply),
    (error: unknown) => process.send?.({ error: String(error) } satisfies Reply),
  )
})
process.on('disconnect', () => process.exit(0))
