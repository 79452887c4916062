/**
 * The app of the bench, a process of its own: raw sockets, so that what it costs is little and always the same.
 *   usage: node bench/load/upstream.ts [BYTES]       (bytes of a plain answer; default 200)
 * `/size/N` answers with N bytes, `/mirror` with the request head as it came, `/ws` echoes WebSocket frames. Prints its
 * port. Ends when its standard input does.
 */
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const LENGTH = /\r\ncontent-length: *(\d+)/i
const CHUNKED = /\r\ntransfer-encoding: *chunked/i
const KEY = /\r\nsec-websocket-key: *(\S+)/i
const END_OF_HEAD = '\r\n\r\n'
const LAST_CHUNK = '0\r\n\r\n'
const MAX_SIZE = 64 * 1024 * 1024

const answer = (body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    ),
    body,
  ])
const filled = (bytes: number): Buffer => answer(Buffer.alloc(Math.min(bytes, MAX_SIZE), 'x'))

const plain = filled(Number(process.argv[2] ?? 200))
const sized = new Map<string, Buffer>()

function answerTo(head: string): Buffer {
  const target = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'))
  if (target === '/mirror') return answer(Buffer.from(head, 'latin1'))
  if (!target.startsWith('/size/')) return plain
  const known = sized.get(target) ?? filled(Number(target.slice(6)))
  sized.set(target, known)
  return known
}

/** The unmasked echo of each whole client frame in `bytes`, and what is left over. */
function echo(bytes: Buffer): { readonly frames: Buffer; readonly rest: Buffer } {
  const frames: Buffer[] = []
  let at = 0
  while (bytes.length - at >= 6) {
    const length = (bytes[at + 1] ?? 0) & 0x7f
    if (length > 125) throw new Error('a longer frame than this bench sends')
    const end = at + 6 + length
    if (bytes.length < end) break
    const mask = bytes.subarray(at + 2, at + 6)
    const payload = bytes.subarray(at + 6, end).map((byte, i) => byte ^ (mask[i & 3] ?? 0))
    frames.push(Buffer.from([bytes[at] ?? 0, length]), Buffer.from(payload))
    at = end
  }
  return { frames: Buffer.concat(frames), rest: bytes.subarray(at) }
}

function serve(socket: Socket): void {
  let kept: Buffer = Buffer.alloc(0)
  let left = 0
  let reply: Buffer = plain
  let mode: 'head' | 'length' | 'chunks' | 'frames' = 'head'

  /** Takes what belongs to the current request from `kept`; `false`: more bytes are needed. */
  const step = (): boolean => {
    if (mode === 'frames') {
      const { frames, rest } = echo(kept)
      kept = rest
      if (frames.length > 0) socket.write(frames)
      return false
    }
    if (mode === 'length') {
      const taken = Math.min(left, kept.length)
      kept = kept.subarray(taken)
      left -= taken
      if (left > 0) return false
      return replied()
    }
    if (mode === 'chunks') {
      // Bodies of this bench hold nothing but the letter x.
      if (kept.subarray(-5).toString('latin1') !== LAST_CHUNK) {
        kept = kept.subarray(-5)
        return false
      }
      kept = kept.subarray(kept.length)
      return replied()
    }
    const end = kept.indexOf(END_OF_HEAD)
    if (end < 0) return false
    begin(kept.toString('latin1', 0, end))
    kept = kept.subarray(end + END_OF_HEAD.length)
    return true
  }
  const replied = (): boolean => {
    socket.write(reply)
    mode = 'head'
    return kept.length > 0
  }
  const begin = (head: string) => {
    const key = KEY.exec(head)?.[1]
    if (key !== undefined) {
      const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64')
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      mode = 'frames'
      return
    }
    reply = answerTo(head)
    left = Number(LENGTH.exec(head)?.[1] ?? 0)
    mode = CHUNKED.test(head) ? 'chunks' : 'length'
  }
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    while (step());
  })
}

const server = createServer({ noDelay: true }, serve)
server.listen({ port: 0, host: '127.0.0.1', backlog: 8192 }, () => {
  console.log((server.address() as AddressInfo).port)
})
process.stdin.on('end', () => process.exit(0)).resume()
