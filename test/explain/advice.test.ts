import t from 'tap'
import { SETTING_NAMES } from '../../src/config/settings.ts'
import { CODES, type Code } from '../../src/errors.ts'
import { advise, type Situation } from '../../src/explain/advice.ts'

const SITUATION: Situation = {
  isDerived: false,
  keySetSetting: 'jwks_uri',
  alg: 'RS256',
  keySetFailure: undefined,
}

const settings = (step: string, code: Code, situation: Partial<Situation> = {}) =>
  Object.fromEntries(
    advise(step, code, { ...SITUATION, ...situation }).map(({ side, setting }) => [side, setting]),
  )

/** What a token alone cannot bring about. */
const OF_REQUESTS = ['ERR_ASSERTION_REPLAYED']

for (const code of Object.keys(CODES) as Code[]) {
  if (!/^ERR_(?:ASSERTION|KEY)/.test(code) || OF_REQUESTS.includes(code)) continue
  t.test(`${code}: one setting to change, at most one on each side`, async (t) => {
    const changes = advise('', code, SITUATION)
    t.ok(changes.length > 0)
    t.equal(new Set(changes.map(({ side }) => side)).size, changes.length)
    for (const { side, setting, how } of changes) {
      t.ok(how.length > 10, how)
      if (side === 'claimgate')
        t.ok((SETTING_NAMES as readonly string[]).includes(setting), setting)
    }
  })
}

t.test('what comes from route is mended there', async (t) => {
  t.match(settings('issuer', 'ERR_ASSERTION_ISSUER'), { claimgate: 'issuer' })
  t.match(settings('issuer', 'ERR_ASSERTION_ISSUER', { isDerived: true }), { claimgate: 'route' })
  t.match(settings('audience', 'ERR_ASSERTION_AUDIENCE'), { claimgate: 'audience' })
  t.match(settings('audience', 'ERR_ASSERTION_AUDIENCE', { isDerived: true }), {
    claimgate: 'route',
  })
})

t.test('no advice ever lets in a token without a signature of its own', async (t) => {
  for (const alg of ['none', 'HS256', 'A128KW', 1, undefined])
    t.strictSame(settings('algorithm', 'ERR_ASSERTION_ALGORITHM', { alg }), {
      claimgate: 'assertion_header',
    })
  t.match(settings('algorithm', 'ERR_ASSERTION_ALGORITHM'), { claimgate: 'algorithms' })
})

t.test('the reason why there are no keys names the setting', async (t) => {
  const named = (keySetFailure: string) =>
    settings('key', 'ERR_KEY_SET_UNAVAILABLE', { keySetFailure })
  t.strictSame(
    named('a: its certificate is not signed by a known CA; give the CA in jwks_ca_file'),
    {
      claimgate: 'jwks_ca_file',
    },
  )
  t.strictSame(named('Pomerium has no signing key: its key set is empty'), {
    Pomerium: 'signing_key',
  })
  t.strictSame(named('the key set is an HTML page'), { claimgate: 'jwks_uri' })
})

t.test('the step tells apart what shares a code', async (t) => {
  t.strictSame(settings('age', 'ERR_ASSERTION_EXPIRED'), { claimgate: 'max_assertion_age' })
  t.match(settings('identity', 'ERR_ASSERTION_CLAIM'), { claimgate: 'identity_headers' })
})
