import { Writable } from 'node:stream'
import pino, { type DestinationStream, type Logger } from 'pino'
import type { Config } from './config/config.ts'

/** The part of a logger that the modules use: fields first, then a fixed lower-case message. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>

const LEVEL_NAMES: Readonly<Record<string, string>> = pino.levels.labels

/**
 * JSON lines by pino, or lines for people with `log_format: pretty`.
 * A consumer that has gone (EPIPE) must not end the process: the destination's errors are dropped.
 */
export function createLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  destination?: DestinationStream,
): Logger {
  const output = destination ?? standardOutput()
  const options = { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  return pino(options, logFormat === 'pretty' ? prettify(output) : output)
}

/** Characters that may wait for a slow consumer of the log; lines beyond are dropped rather than kept in memory. */
const MAX_UNWRITTEN = 4 * 1024 * 1024

function standardOutput(): DestinationStream {
  const output = pino.destination({ fd: 1, sync: false, minLength: 0, maxLength: MAX_UNWRITTEN })
  output.on('error', () => undefined)
  return output
}

function prettify(output: DestinationStream): DestinationStream {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      output.write(prettyLine(chunk.toString()))
      done()
    },
  })
  stream.on('error', () => undefined)
  return stream
}

/** One JSON log line as `time LEVEL message field=value …`. */
export function prettyLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  const label = (LEVEL_NAMES[String(level)] ?? String(level)).toUpperCase().padEnd(5)
  return `${String(time).slice(11, 23)} ${label} ${String(msg)}${details.join('')}\n`
}
