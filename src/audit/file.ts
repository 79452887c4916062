import { close, constants, fstatSync, openSync, write } from 'node:fs'
import { Writable } from 'node:stream'

/** Lines that were not written, and the system's code for why. */
export type OnLost = (lines: number, cause: string) => void

/** Writes some bytes from `offset` on and says how many; as `fs.write` with a file descriptor. */
export type WriteSome = (
  bytes: Buffer,
  offset: number,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void

/** Not for everybody: the lines name people. */
const MODE = 0o640

/**
 * Opens `path` for appending, and makes it.
 *
 * @throws Error when it cannot be opened, or is no plain file: to open a pipe would wait for its reader.
 */
export function openAppending(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, MODE)
  if (fstatSync(fd).isFile()) return fd
  close(fd)
  throw new Error(`audit_log must be a plain file, \`stdout\` or \`off\`, found ${path}`)
}

export const writeTo =
  (fd: number): WriteSome =>
  (bytes, offset, done) =>
    write(fd, bytes, offset, bytes.length - offset, null, done)

const NEWLINE = 10

/**
 * Batches of whole lines into a file. A stream of Node's own ends at its first error; this one tells `onLost` what a full
 * disk did not take, and goes on: once there is room the next line begins a line of its own.
 */
export function createFileSink(writeSome: WriteSome, onLost: OnLost): Writable {
  let isTorn = false
  const writeAll = (bytes: Buffer, offset: number, done: (end: End) => void): void =>
    writeSome(bytes, offset, (error, written) => {
      const reached = offset + written
      if (error === null && written > 0 && reached < bytes.length)
        return writeAll(bytes, reached, done)
      done({ reached, cause: error?.code ?? 'EIO' })
    })
  return new Writable({
    decodeStrings: false,
    write(batch: string, _encoding, done) {
      const bytes = Buffer.from(isTorn ? `\n${batch}` : batch)
      const start = isTorn ? 1 : 0
      writeAll(bytes, 0, ({ reached, cause }) => {
        if (reached > 0) isTorn = bytes[reached - 1] !== NEWLINE
        const lost = countLines(bytes.subarray(Math.max(reached, start)))
        if (lost > 0) onLost(lost, cause)
        done()
      })
    },
  })
}

/** How far a batch was written, and why not further if it was not. */
interface End {
  readonly reached: number
  readonly cause: string
}

function countLines(bytes: Buffer): number {
  let lines = 0
  for (const byte of bytes) if (byte === NEWLINE) lines += 1
  return lines
}
