import t from 'tap'
import { closeFrame, encodeFrame, OPCODES, takeFrame } from '../../src/demo/websocket-frame.ts'

/** A client's frame, with a mask that changes every byte. */
const clientFrame = (opcode: number, payload: Buffer): Buffer => {
  const plain = encodeFrame(opcode, payload)
  const headSize = plain.length - payload.length
  const mask = Buffer.from([1, 2, 3, 4])
  const head = Buffer.from(plain.subarray(0, headSize))
  head.writeUInt8(head.readUInt8(1) + 0x80, 1)
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

t.test('a frame of every length form is read and unmasked', async (t) => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
    const payload = Buffer.alloc(length, 'abc')
    const bytes = clientFrame(OPCODES.binary, payload)
    const frame = takeFrame(Buffer.concat([bytes, Buffer.from('rest')]))
    t.strictSame(frame, { opcode: 2, payload, size: bytes.length }, `${length} bytes`)
  }
})

t.test('every beginning of a frame is incomplete', async (t) => {
  const bytes = clientFrame(OPCODES.text, Buffer.alloc(130, 'x'))
  for (let end = 0; end < bytes.length; end++) {
    t.equal(takeFrame(bytes.subarray(0, end)), 'incomplete')
  }
})

t.test('unmasked, fragmented, unknown and oversized frames are invalid', async (t) => {
  const cases = {
    unmasked: encodeFrame(OPCODES.text, Buffer.from('x')),
    fragmented: Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0]),
    'unknown opcode': clientFrame(3, Buffer.from('x')),
    'reserved bit': clientFrame(0x41, Buffer.from('x')),
    'more than 64 KiB': clientFrame(OPCODES.text, Buffer.alloc(65_537)),
    'ping of more than 125 bytes': clientFrame(OPCODES.ping, Buffer.alloc(126)),
  }
  for (const [name, bytes] of Object.entries(cases)) t.equal(takeFrame(bytes), 'invalid', name)
})

t.test('closeFrame carries the code', async (t) => {
  t.strictSame(closeFrame(1002), Buffer.from([0x88, 2, 0x03, 0xea]))
})
