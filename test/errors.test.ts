import t from 'tap'
import { CODES, ConfigError, RejectedError } from '../src/errors.ts'

t.test('RejectedError takes its status from the table', async (t) => {
  t.equal(new RejectedError('ERR_ASSERTION_MISSING').status, 401)
  t.equal(new RejectedError('ERR_POLICY_DENIED').status, 403)
})

t.test('RejectedError keeps a more exact status for malformed HTTP', async (t) => {
  t.equal(new RejectedError('ERR_REQUEST_MALFORMED', { status: 505 }).status, 505)
})

t.test('every code is in the ERR_ namespace and has an error status', async (t) => {
  for (const [code, { status }] of Object.entries(CODES)) {
    t.match(code, /^ERR_[A-Z_]+$/)
    t.ok(status >= 400 && status <= 504, code)
  }
})

t.test('ConfigError reports every problem on a line of its own', async (t) => {
  const error = new ConfigError([
    { source: 'env CLAIMGATE_ROUTE', message: 'first' },
    { source: 'config.yaml:3:1', message: 'second' },
  ])
  t.equal(error.message, 'env CLAIMGATE_ROUTE: first\nconfig.yaml:3:1: second')
})
