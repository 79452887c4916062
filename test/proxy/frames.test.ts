import fc from 'fast-check'
import t from 'tap'
import { closeFrame, FrameFollower, maskedCloseFrame } from '../../src/proxy/frames.ts'

function frame(payload: number, masked: 'masked' | 'plain'): Buffer {
  const mask = masked === 'masked' ? 0x80 : 0
  const length =
    payload < 126
      ? [payload | mask]
      : payload < 65_536
        ? [126 | mask, payload >> 8, payload & 255]
        : [
            127 | mask,
            0,
            0,
            0,
            0,
            (payload >> 24) & 255,
            (payload >> 16) & 255,
            (payload >> 8) & 255,
            payload & 255,
          ]
  return Buffer.concat([
    Buffer.from([0x82, ...length]),
    Buffer.alloc(masked === 'masked' ? 4 : 0),
    Buffer.alloc(payload, 0x82),
  ])
}

for (const payload of [0, 1, 125, 126, 65_535, 65_536])
  t.test(`a frame of ${payload} bytes ends at its last byte and not before`, async (t) => {
    for (const masked of ['masked', 'plain'] as const) {
      const bytes = frame(payload, masked)
      const follower = new FrameFollower()
      t.equal(follower.isAtBoundary(), true)
      follower.follow(bytes.subarray(0, -1))
      t.equal(follower.isAtBoundary(), false)
      follower.follow(bytes.subarray(-1))
      t.equal(follower.isAtBoundary(), true)
    }
  })

t.test(
  'however the bytes are cut, the follower is at a boundary exactly where a frame ends',
  async (t) => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(65_536)), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
        (payloads, cuts) => {
          const frames = payloads.map((payload, index) =>
            frame(payload, index % 2 === 0 ? 'masked' : 'plain'),
          )
          const ends = new Set<number>([0])
          let total = 0
          for (const { length } of frames) {
            total += length
            ends.add(total)
          }
          const bytes = Buffer.concat(frames)
          const follower = new FrameFollower()
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const next = Math.min(at + (cuts[i % cuts.length] ?? 1), bytes.length)
            follower.follow(bytes.subarray(at, next))
            at = next
            if (follower.isAtBoundary() !== ends.has(at)) return false
          }
          return true
        },
      ),
    )
    t.pass('holds')
  },
)

/** Bytes of Node's pool that `act` takes. */
function fromPool(act: () => void): number {
  const before = Buffer.allocUnsafe(8)
  act()
  const after = Buffer.allocUnsafe(8)
  // It was used up just now, and another begun.
  if (before.buffer !== after.buffer) return fromPool(act)
  return after.byteOffset - before.byteOffset - before.length
}

t.test('the beginning of a header keeps no piece of the pool', async (t) => {
  const begin = Buffer.of(0x82)
  t.ok(fromPool(() => Buffer.from(begin)) > 0, 'what uses the pool is seen')
  const taken = fromPool(() => new FrameFollower().follow(begin))
  t.equal(taken, 0)
})

t.test('closeFrame() is an unmasked close with its status', async (t) => {
  t.same([...closeFrame(1001)], [0x88, 2, 0x03, 0xe9])
})

t.test('maskedCloseFrame() is the same, masked', async (t) => {
  const [first, second, m0 = 0, m1 = 0, _m2, _m3, p0 = 0, p1 = 0, ...rest] = maskedCloseFrame(1001)
  t.same([first, second, p0 ^ m0, p1 ^ m1, rest], [0x88, 0x82, 0x03, 0xe9, []])
  t.not(maskedCloseFrame(1001).equals(maskedCloseFrame(1001)), 'the mask is fresh')
})
