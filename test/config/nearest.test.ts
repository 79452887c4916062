import t from 'tap'
import { nearest } from '../../src/config/nearest.ts'
import { SETTING_NAMES } from '../../src/config/settings.ts'

const rows: [string, string | undefined][] = [
  ['upstrem', 'upstream'],
  ['clock-skew', 'clock_skew'],
  ['jwks_url', 'jwks_uri'],
  ['audiance', 'audience'],
  ['issuers', 'issuer'],
  ['drain_timout', 'drain_timeout'],
  ['frobnicate', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
]
for (const [name, wanted] of rows)
  t.test(
    `nearest() to ${JSON.stringify(name.slice(0, 20))} is ${wanted ?? 'nothing'}`,
    async (t) => {
      t.equal(nearest(name, SETTING_NAMES), wanted)
    },
  )
