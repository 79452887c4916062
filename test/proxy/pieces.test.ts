import t from 'tap'
import { createPieces, LEAST_SIZE, MAX_FREE, PIECE_SIZE } from '../../src/proxy/pieces.ts'

const filled = (size: number, value: number): Buffer => Buffer.alloc(size, value)

t.test('a piece is a copy, whatever its size', async (t) => {
  const copy = createPieces()
  for (const size of [0, 1, LEAST_SIZE - 1, LEAST_SIZE, PIECE_SIZE, PIECE_SIZE + 1]) {
    const data = filled(size, 1)
    const { bytes } = copy(data)
    data.fill(2)
    t.ok(bytes.equals(filled(size, 1)), `${size} bytes`)
  }
})

t.test('what was given back is used again, and nothing else', async (t) => {
  const copy = createPieces()
  const first = copy(filled(PIECE_SIZE, 1))
  const second = copy(filled(PIECE_SIZE, 2))
  t.not(second.bytes.buffer, first.bytes.buffer)
  first.giveBack?.()
  const third = copy(filled(LEAST_SIZE, 3))
  t.equal(third.bytes.buffer, first.bytes.buffer)
  t.ok(third.bytes.equals(filled(LEAST_SIZE, 3)))
  t.ok(second.bytes.equals(filled(PIECE_SIZE, 2)))
  t.not(copy(filled(PIECE_SIZE, 4)).bytes.buffer, first.bytes.buffer)
})

t.test('what is given back twice serves one', async (t) => {
  const copy = createPieces()
  const { giveBack } = copy(filled(PIECE_SIZE, 1))
  giveBack?.()
  giveBack?.()
  t.not(copy(filled(PIECE_SIZE, 2)).bytes.buffer, copy(filled(PIECE_SIZE, 3)).bytes.buffer)
})

t.test('what was given back once is not taken from whom it serves now', async (t) => {
  const copy = createPieces()
  const { giveBack } = copy(filled(PIECE_SIZE, 1))
  giveBack?.()
  const now = copy(filled(PIECE_SIZE, 2))
  giveBack?.()
  copy(filled(PIECE_SIZE, 3))
  t.ok(now.bytes.equals(filled(PIECE_SIZE, 2)))
})

t.test('after an error nobody knows who still reads it', async (t) => {
  const copy = createPieces()
  const { bytes, giveBack } = copy(filled(PIECE_SIZE, 1))
  giveBack?.(new Error('write ECANCELED'))
  t.not(copy(filled(PIECE_SIZE, 2)).bytes.buffer, bytes.buffer)
})

t.test('small ones, and those that are larger than a read, are made anew', async (t) => {
  const copy = createPieces()
  for (const size of [LEAST_SIZE - 1, PIECE_SIZE + 1])
    t.equal(copy(filled(size, 1)).giveBack, undefined)
})

t.test('a piece holds at most twice the memory of its bytes', async (t) => {
  const copy = createPieces()
  for (let size = 4 * 1024; size <= PIECE_SIZE; size += 4 * 1024) {
    const { bytes, giveBack } = copy(filled(size, 1))
    // Without it Node makes the copy, and lays several small ones into one memory.
    if (giveBack !== undefined) t.ok(bytes.buffer.byteLength <= size * 2, `${size} bytes`)
  }
})

t.test('no more than some are kept', async (t) => {
  const copy = createPieces()
  const lent = Array.from({ length: MAX_FREE + 1 }, () => copy(filled(PIECE_SIZE, 1)))
  for (const { giveBack } of lent) giveBack?.()
  const known = new Set(lent.map(({ bytes }) => bytes.buffer))
  const again = Array.from({ length: MAX_FREE + 1 }, () => copy(filled(PIECE_SIZE, 1)))
  t.equal(again.filter(({ bytes }) => known.has(bytes.buffer)).length, MAX_FREE)
})
