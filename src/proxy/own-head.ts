import type { Socket } from 'node:net'
import type { HeaderLines } from './headers.ts'

/** The head of a request as it goes to the upstream. */
export interface RequestBytes {
  readonly method: string
  readonly target: string
  /** All fields in their order, Host and those of the framing included. */
  readonly lines: HeaderLines
  readonly framing: 'chunked' | 'length' | 'none'
}

/** A connection to the upstream on which heads go out as they were made, not as undici would write them. */
export interface OwnHead {
  /** A request is being sent: the next write holds undici's head, which is replaced. */
  expectHead(bytes: RequestBytes): void
}

/** What undici writes at the end of a head when chunks follow; each of them begins with the missing line end. */
const BEFORE_CHUNKS = 'transfer-encoding: chunked\r\n'
const LAST_CHUNK = '0\r\n\r\n'

/**
 * undici puts Host first and the framing last, adds `connection: keep-alive`, and says a length where the client said none
 * or chunks. The order and spelling of fields are the client's, so its head is put in the place of undici's. Everything
 * behind the head is undici's: it counts the bytes of the body.
 *
 * Should undici ever write something else first, the connection ends and nothing is sent.
 */
export function writeOwnHeads(socket: Socket): OwnHead {
  const write = socket.write.bind(socket)
  let expected: RequestBytes | undefined

  socket.write = ((chunk: string | Uint8Array, ...rest: []) => {
    if (expected === undefined) return write(chunk, ...rest)
    const bytes = expected
    expected = undefined
    if (typeof chunk === 'string' && chunk.startsWith(requestLine(bytes)))
      return write(`${headOf(bytes)}${endOf(chunk, bytes)}`, 'latin1')
    socket.destroy(new Error('unexpected write to the upstream'))
    return false
  }) as Socket['write']

  return {
    expectHead(bytes) {
      expected = bytes
    },
  }
}

const requestLine = ({ method, target }: RequestBytes) => `${method} ${target} HTTP/1.1\r\n`

function headOf(bytes: RequestBytes): string {
  const { lines } = bytes
  let head = requestLine(bytes)
  for (let i = 0; i < lines.length; i += 2) head += `${lines[i]}: ${lines[i + 1]}\r\n`
  return head
}

function endOf(written: string, { framing }: RequestBytes): string {
  if (framing !== 'chunked') return '\r\n'
  // Without a chunk undici does not say chunked at all.
  return written.endsWith(BEFORE_CHUNKS) ? '' : `\r\n${LAST_CHUNK}`
}
