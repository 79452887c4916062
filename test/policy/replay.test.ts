import t from 'tap'
import { createReplayGuard } from '../../src/policy/replay.ts'
import { NOW, NOW_MS } from '../helpers/mint.ts'

const SKEW = 60_000

function guardAt(capacity?: number) {
  let time = NOW_MS
  const options = { clockSkew: SKEW, now: () => time }
  const guard = createReplayGuard(capacity === undefined ? options : { ...options, capacity })
  return { guard, advance: (by: number) => (time += by) }
}

const exp = NOW + 300

t.test('a jti passes once', async (t) => {
  const { guard } = guardAt()
  guard.admit({ jti: 'a', exp })
  guard.admit({ jti: 'b', exp })
  t.throws(() => guard.admit({ jti: 'a', exp }), { code: 'ERR_ASSERTION_REPLAYED' })
  t.equal(guard.size(), 2)
})

t.test(
  'a jti is remembered for as long as its assertion is valid, and forgotten soon after',
  async (t) => {
    for (const lifetime of [300, 305, 309]) {
      const { guard, advance } = guardAt()
      const exp = NOW + lifetime
      guard.admit({ jti: 'a', exp })
      advance(lifetime * 1000 + SKEW - 1)
      t.throws(() => guard.admit({ jti: 'a', exp }), { code: 'ERR_ASSERTION_REPLAYED' })
      advance(10_001)
      guard.admit({ jti: 'b', exp: exp + 600 })
      t.equal(guard.size(), 1)
    }
  },
)

for (const jti of [undefined, null, '', 7, ['a'], 'x'.repeat(129)])
  t.test(`a jti of ${JSON.stringify(jti)?.slice(0, 12)} is refused`, async (t) => {
    t.throws(() => guardAt().guard.admit({ jti, exp }), { code: 'ERR_ASSERTION_CLAIM' })
  })

t.test(
  'when nothing more can be remembered, nothing is forgotten and new ones are refused with 503',
  async (t) => {
    const { guard, advance } = guardAt(2)
    guard.admit({ jti: 'a', exp })
    guard.admit({ jti: 'b', exp })
    t.throws(() => guard.admit({ jti: 'c', exp }), { code: 'ERR_OVERLOADED', status: 503 })
    t.throws(() => guard.admit({ jti: 'a', exp }), { code: 'ERR_ASSERTION_REPLAYED' })
    advance(400_000)
    guard.admit({ jti: 'c', exp: exp + 400 })
    t.equal(guard.size(), 1)
  },
)
