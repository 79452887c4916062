import { close } from 'node:fs'
import type { Config, Milliseconds } from '../config/config.ts'
import type { ExchangeObserver } from '../exchange.ts'
import { createLineWriter, type LineWriter, type Log, standardOutput } from '../log.ts'
import { createAuditLine } from './fields.ts'
import { createFileSink, type OnLost, openAppending, writeTo } from './file.ts'

/** One line for each request, in a stream of its own. */
export interface Audit extends ExchangeObserver {
  /** Resolves when all lines are written, or after a second. */
  close(): Promise<void>
}

export interface AuditDeps {
  readonly log: Log
  /** Wall clock. */
  readonly now: () => Milliseconds
  /** Told how many lines were lost. */
  readonly onDropped: (lines: number) => void
}

/**
 * `undefined` with `audit_log: off`.
 *
 * @throws Error when the file cannot be opened
 */
export function openAudit(
  { auditLog, auditFields }: Pick<Config, 'auditLog' | 'auditFields'>,
  deps: AuditDeps,
): Audit | undefined {
  if (auditLog === undefined) return undefined
  const onLost = createLossReporter(deps)
  const { writer, release } = auditLog === 'stdout' ? toStandardOutput() : toFile(auditLog, onLost)
  const lineOf = createAuditLine(auditFields, deps.now)
  return {
    begin: () => undefined,
    end(exchange, duration) {
      if (!writer.write(lineOf(exchange, duration))) onLost(1, 'reader is behind')
    },
    close: () => flushed(writer).finally(release),
  }
}

interface Target {
  readonly writer: LineWriter
  release(): void
}

/** The writer tells of left out lines only when there is room again: a reader that never reads would not be counted. */
const untold = () => undefined

const toStandardOutput = (): Target => ({
  writer: createLineWriter(standardOutput(), untold),
  release: untold,
})

function toFile(path: string, onLost: OnLost): Target {
  const fd = openAppending(path)
  const writer = createLineWriter(createFileSink(writeTo(fd), onLost), untold)
  return { writer, release: () => close(fd) }
}

/** How long the last lines may take to be written. */
const FLUSH_TIME: Milliseconds = 1_000

const flushed = (writer: LineWriter): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, FLUSH_TIME)
    writer.flush(() => {
      clearTimeout(timer)
      resolve()
    })
  })

/** A full disk loses lines with every batch; the log says so this often at most. */
const REPORT_PERIOD: Milliseconds = 10_000

/** Counts each lost line, and logs them in sums: the first at once, the next ones not before {@link REPORT_PERIOD}. */
export function createLossReporter({ log, now, onDropped }: AuditDeps): OnLost {
  let unsaid = 0
  let said = Number.NEGATIVE_INFINITY
  return (lines, cause) => {
    onDropped(lines)
    unsaid += lines
    // A clock that was set back must not silence it.
    if (Math.abs(now() - said) < REPORT_PERIOD) return
    said = now()
    log.warn({ lines: unsaid, cause }, 'audit lines dropped')
    unsaid = 0
  }
}
