import { connect, type Socket } from 'node:net'
import { type Latency, latencyOf } from '../measure/stats.ts'
import { createAnswerReader } from './answer.ts'
import type { RequestBytes } from './requests.ts'

export interface Load {
  readonly port: number
  readonly connections: number
  /** Exactly so many requests are sent and answered. */
  readonly count: number
  /** Requests each second; `0`: every connection sends its next request when it has its answer. */
  readonly rate: number
  /** The one status that is right. */
  readonly status: number
  readonly requests: readonly RequestBytes[]
  /** Where in `requests` to begin; after the last comes the first. */
  readonly offset: number
}

export interface LoadResult {
  readonly count: number
  readonly seconds: number
  readonly statuses: Readonly<Record<string, number>>
  readonly latency: Latency
  /** Connections that the server closed after a complete answer, and that were opened anew. */
  readonly reopened: number
}

/** So long nothing at all may come back. */
const SILENCE = 30_000

/**
 * Sends exactly `count` requests on raw sockets and waits for their answers.
 *
 * With a rate a request's time begins when it was due, not when a connection was free: a server that stalls
 * is charged for everything that had to wait.
 *
 * @throws Error on an answer of another status, a connection that breaks in the middle, or silence.
 */
export function generateLoad(load: Load): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const run = createRun(load, (outcome) => {
      clearInterval(watch)
      if (outcome instanceof Error) reject(outcome)
      else resolve(outcome)
    })
    let seen = -1
    const watch = setInterval(() => {
      if (run.answered() === seen) run.fail(`silence after ${seen} of ${load.count} answers`)
      seen = run.answered()
    }, SILENCE)
    run.start()
  })
}

interface Line {
  socket: Socket
  sentAt: number
  isBusy: boolean
}

function createRun(load: Load, settle: (outcome: LoadResult | Error) => void) {
  const { count, requests, rate, status: wanted } = load
  const latencies = new Float64Array(count)
  const statuses: Record<string, number> = {}
  const lines: Line[] = []
  const free: Line[] = []
  let begin = 0
  let sent = 0
  let done = 0
  let reopened = 0
  let isOver = false

  const finish = (outcome: LoadResult | Error) => {
    if (isOver) return
    isOver = true
    for (const { socket } of lines) socket.destroy()
    settle(outcome)
  }
  const fail = (why: string) => finish(new Error(`port ${load.port}: ${why}`))

  const send = (line: Line, due: number) => {
    line.sentAt = due
    line.isBusy = true
    const request = requests[(load.offset + sent++) % requests.length] ?? []
    if (request.length > 1) line.socket.cork()
    for (const bytes of request) line.socket.write(bytes)
    if (request.length > 1) line.socket.uncork()
  }
  const next = (line: Line) => {
    if (rate === 0) {
      if (sent < count) send(line, performance.now())
      return
    }
    free.push(line)
    sendDue()
  }
  const open = (line: Line) => {
    const take = createAnswerReader()
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true })
    line.socket = socket
    line.isBusy = false
    socket.on('error', (error) => fail(`${error.message} after ${done} of ${count} answers`))
    socket.on('close', () => {
      if (line.isBusy) return fail(`closed without an answer, after ${done} of ${count}`)
      if (isOver || line.socket !== socket) return
      reopened += 1
      const at = free.indexOf(line)
      if (at >= 0) free.splice(at, 1)
      open(line)
    })
    socket.on('connect', () => next(line))
    socket.on('data', (chunk: Buffer) => {
      try {
        const answer = take(chunk)
        if (answer !== undefined) received(line, answer)
      } catch (error) {
        fail(String(error))
      }
    })
  }
  const received = (line: Line, { status, isLast }: { status: number; isLast: boolean }) => {
    const now = performance.now()
    latencies[done++] = now - line.sentAt
    line.isBusy = false
    statuses[status] = (statuses[status] ?? 0) + 1
    if (status !== wanted) return fail(`${status} instead of ${wanted}, answer ${done}`)
    if (done === count)
      return finish({
        count,
        seconds: (now - begin) / 1000,
        statuses,
        latency: latencyOf(latencies),
        reopened,
      })
    if (isLast) line.socket.end()
    else next(line)
  }
  let lookedAt = 0
  /** Sends what is due: begun now, or when it was due if it has been waiting for a connection since the last look. */
  const sendDue = () => {
    const now = performance.now()
    while (sent < count && free.length > 0) {
      const due = begin + (sent * 1000) / rate
      if (due > now) break
      send(free.pop() as Line, due > lookedAt ? now : due)
    }
    lookedAt = now
  }
  const pace = () => {
    if (isOver) return
    sendDue()
    if (sent < count) setTimeout(pace, 1)
  }

  return {
    answered: () => done,
    fail,
    start() {
      begin = performance.now()
      for (let i = 0; i < load.connections; i++) {
        const line = { isBusy: false, sentAt: 0 } as Line
        lines.push(line)
        open(line)
      }
      if (rate > 0) pace()
    },
  }
}
