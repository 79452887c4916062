import t from 'tap'
import { describeNetworkFailure } from '../../src/key-set/failure.ts'

t.test('an unknown code is printed, the message never', async (t) => {
  const error = Object.assign(new Error('a secret of the answer'), { code: 'ESTRANGE' })
  t.same(describeNetworkFailure(error, 'host.example'), {
    kind: 'failed',
    reason: 'host.example: the request failed (ESTRANGE)',
    summary: 'the request failed (ESTRANGE)',
    retryAfter: undefined,
  })
})

t.test('what is no code is not printed', async (t) => {
  for (const error of [
    undefined,
    'secret',
    new Error('secret'),
    { code: 'secret words' },
    { code: 5 },
    { code: 'A'.repeat(65) },
  ]) {
    t.equal(describeNetworkFailure(error, 'host.example').summary, 'the request failed')
  }
})
