import t from 'tap'
import { linesOf, readEnvironment } from '../helpers/settings.ts'

/** Nothing is accepted and ignored: a setting without its feature is refused until it has one. */
const rows: [variable: string, value: string, line: string][] = [
  ['REPORT_ONLY', 'unsafe', 'report_only must be off, got "unsafe", which is not supported yet'],
  ['REPORT_ONLY', 'on', 'report_only must be off, got "on"'],
]

for (const [name, value, line] of rows)
  t.test(`${name}=${value} is refused`, async (t) => {
    const env = { [`CLAIMGATE_${name}`]: value }
    t.strictSame(
      linesOf(() => readEnvironment(env)),
      [`env CLAIMGATE_${name}: ${line}`],
    )
  })

t.test('off can be written out', async (t) => {
  const off = {
    CLAIMGATE_REPLAY_GUARD: 'off',
    CLAIMGATE_REPORT_ONLY: 'off',
    CLAIMGATE_TUNNEL_MAX_AGE: 'off',
  }
  t.strictSame(readEnvironment(off).config, readEnvironment().config)
})
