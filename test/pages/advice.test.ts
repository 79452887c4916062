import { readFileSync } from 'node:fs'
import t from 'tap'
import { SETTING_NAMES } from '../../src/config/settings.ts'
import { CODES } from '../../src/errors.ts'
import { ADVICE } from '../../src/pages/advice.ts'
import { codeSpans, section } from '../helpers/markdown.ts'

const GUIDE = readFileSync('docs/errors.md', 'utf8')

/** Names that are typed into Pomerium's configuration, or stand in the log. */
const OF_OTHERS = [
  ...['pass_identity_headers', 'set_request_headers', 'signing_key', 'jwt_groups_filter'],
  ...['jwt_issuer_format', 'allow_public_unauthenticated_access', 'from', 'reason'],
]

for (const [code, { visitor, operator }] of Object.entries(ADVICE)) {
  t.test(
    `${code}: what the operator is told to change exists, and the guide knows it`,
    async (t) => {
      const text = section(GUIDE, `## ${code}`)
      for (const span of codeSpans(operator)) {
        const name = /^[a-z_]+$/.exec(span.split(':')[0] ?? '')?.[0]
        if (name === undefined) continue
        const isKnown =
          OF_OTHERS.includes(name) ||
          (SETTING_NAMES as readonly string[]).includes(name) ||
          ['https', 'claimgate_assertion_age_seconds', 'encoding', 'paths'].includes(name)
        t.ok(isKnown, `${name} exists`)
        t.ok(text.includes(name), `docs/errors.md#${code.toLowerCase()} speaks of ${name}`)
      }
    },
  )

  t.test(`${code}: visitors are told what to do, in their own words`, async (t) => {
    t.ok(visitor.length > 40)
    t.notMatch(visitor, /`|assertion|claim|token|JWT|Pomerium|upstream|audience|issuer|key set/)
  })
}

t.test('every code has its row', async (t) => {
  t.strictSame(Object.keys(ADVICE), Object.keys(CODES))
})
