/** RFC 6455, 5.2: the opcodes that may start a message, and the control frames. */
export const OPCODES = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Bytes of payload; a longer frame is refused, so nobody can make the demo hold more. */
const MAX_PAYLOAD = 64 * 1024

/** RFC 6455, 5.5: the same for control frames, whose opcodes have the high bit. */
const MAX_CONTROL_PAYLOAD = 125

const KNOWN: ReadonlySet<number> = new Set(Object.values(OPCODES))

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
  /** Bytes the frame took on the wire. */
  readonly size: number
}

/** The first client frame of `bytes`: final, masked, of a known opcode and not too long; everything else is invalid. */
export const takeFrame = (bytes: Buffer): Frame | 'incomplete' | 'invalid' => {
  if (bytes.length < 2) return 'incomplete'
  const opcode = bytes.readUInt8(0) - 0x80
  const shortLength = bytes.readUInt8(1) - 0x80
  if (!KNOWN.has(opcode) || shortLength < 0 || shortLength > 127) return 'invalid'
  const maskAt = 2 + extendedLengthSize(shortLength)
  if (bytes.length < maskAt + 4) return 'incomplete'
  const length = payloadLength(bytes, shortLength)
  if (length > (opcode < 8 ? MAX_PAYLOAD : MAX_CONTROL_PAYLOAD)) return 'invalid'
  const size = maskAt + 4 + length
  if (bytes.length < size) return 'incomplete'
  return { opcode, payload: unmask(bytes.subarray(maskAt, size)), size }
}

const extendedLengthSize = (shortLength: number): number => {
  if (shortLength < 126) return 0
  return shortLength === 126 ? 2 : 8
}

/** `masked` is the four bytes of the mask and what they cover. */
const unmask = (masked: Buffer): Buffer =>
  Buffer.from(masked.subarray(4).map((byte, index) => byte ^ (masked[index % 4] ?? 0)))

const payloadLength = (bytes: Buffer, shortLength: number): number => {
  if (shortLength < 126) return shortLength
  return shortLength === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
}

/** An unmasked final frame, as servers send them. `payload` holds at most 64 KiB. */
export const encodeFrame = (opcode: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10)
  head.writeUInt8(0x80 + opcode, 0)
  if (head.length === 2) head.writeUInt8(payload.length, 1)
  if (head.length === 4) {
    head.writeUInt8(126, 1)
    head.writeUInt16BE(payload.length, 2)
  }
  if (head.length === 10) {
    head.writeUInt8(127, 1)
    head.writeBigUInt64BE(BigInt(payload.length), 2)
  }
  return Buffer.concat([head, payload])
}

export const closeFrame = (code: number): Buffer => {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return encodeFrame(OPCODES.close, payload)
}
