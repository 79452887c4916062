import { createWriteStream, fstatSync } from 'node:fs'
import type { Writable } from 'node:stream'
import pino, { type DestinationStream, type Logger } from 'pino'
import type { Config } from './config/config.ts'

/** The part of a logger that the modules use: fields first, then a fixed lower-case message. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & RequestLog

/** The log of the whole process: its level can change. */
export type ProcessLog = Logger & RequestLog

export interface RequestLog {
  /**
   * As `info`, with fields that are JSON already: the members of an object, without its braces and not empty. For the
   * line of each request, which pino would take twice as long to write as everything else that is kept of it.
   */
  infoJson(fields: string, message: string): void
}

const LEVEL_NAMES: Readonly<Record<string, string>> = pino.levels.labels

/** Where finished lines go, one call per line. */
export interface LineWriter extends DestinationStream {
  /** False for a line that is left out. */
  write(line: string): boolean
  /** Calls back when all lines so far are written, or can never be. */
  flush(done: () => void): void
}

/** JSON lines by pino, or lines for people with `log_format: pretty`. */
export function createLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  destination?: DestinationStream,
): ProcessLog {
  const lines =
    destination ??
    createLineWriter(standardOutput(), (count) => log.warn({ lines: count }, 'log lines dropped'))
  const timestamp = createTimestamp(Date.now)
  const output = logFormat === 'pretty' ? prettify(lines) : lines
  const log = pino({ level: logLevel, base: null, timestamp }, output)
  const infoJson = (fields: string, message: string) => {
    if (log.isLevelEnabled('info'))
      output.write(`{"level":${INFO}${timestamp()},${fields},"msg":"${message}"}\n`)
  }
  return Object.assign(log, { infoJson })
}

const INFO = pino.levels.values['info']

/** The `time` of a line, ISO 8601 in UTC. Lines of one millisecond share the text, which costs 1 µs to make. */
export function createTimestamp(now: () => number): () => string {
  let last = Number.NaN
  let text = ''
  return () => {
    const time = now()
    if (time !== last) text = `,"time":"${new Date(time).toISOString()}"`
    last = time
    return text
  }
}

/**
 * Standard output for a {@link createLineWriter} of its own; several may share it, line by line.
 *
 * A pipe is written to without blocking: a write that blocks holds one of the few threads of Node, and a process cannot
 * even exit while its consumer does not read. Files never block for long.
 */
export function standardOutput(): Writable {
  const { fd } = process.stdout
  const status = fstatSync(fd)
  if (status.isFIFO() || status.isSocket()) return process.stdout
  return createWriteStream('', { fd, autoClose: false })
}

/** Characters that may wait for a slow consumer of the log; lines beyond are dropped rather than kept in memory. */
const MAX_UNWRITTEN = 4 * 1024 * 1024

/** How long a line may wait for others, and how many characters of them are enough: each write wakes the reader. */
const BATCH_TIME = 20
const BATCH_SIZE = 16 * 1024

/**
 * Writes lines in batches, one at a time, and never waits for them. A consumer that has gone (EPIPE) must not end the
 * process: what cannot be written is forgotten. `onDropped` is told how many lines were left out once there is room again.
 */
export function createLineWriter(stream: Writable, onDropped: (lines: number) => void): LineWriter {
  let pending = ''
  let writing = 0
  let timer: NodeJS.Timeout | undefined
  let dropped = 0
  const flushed: (() => void)[] = []
  stream.on('error', () => undefined)

  const writePending = () => {
    clearTimeout(timer)
    timer = undefined
    if (writing > 0 || pending === '') return
    const batch = pending
    pending = ''
    writing = batch.length
    stream.write(batch, written)
  }
  const written = () => {
    writing = 0
    const lines = dropped
    dropped = 0
    if (lines > 0) onDropped(lines)
    if (pending !== '') return writePending()
    for (const done of flushed.splice(0)) done()
  }
  return {
    write(line) {
      if (pending.length + writing + line.length > MAX_UNWRITTEN) {
        dropped += 1
        return false
      }
      pending += line
      if (writing > 0) return true
      if (pending.length >= BATCH_SIZE) writePending()
      else timer ??= setTimeout(writePending, BATCH_TIME)
      return true
    },
    flush(done) {
      flushed.push(done)
      writePending()
      if (writing === 0) written()
    },
  }
}

type Flushable = DestinationStream & Pick<LineWriter, 'flush'>

function prettify(output: DestinationStream & Partial<Flushable>): Flushable {
  return {
    write: (line) => output.write(prettyLine(line)),
    flush: (done) => (output.flush === undefined ? done() : output.flush(done)),
  }
}

/** One JSON log line as `time LEVEL message field=value …`. */
export function prettyLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  const label = (LEVEL_NAMES[String(level)] ?? String(level)).toUpperCase().padEnd(5)
  return `${String(time).slice(11, 23)} ${label} ${String(msg)}${details.join('')}\n`
}
