import t from 'tap'
import type { Config, IdentityHeader } from '../../src/config/config.ts'
import { PRESET_NAMES, PRESETS } from '../../src/config/presets.ts'
import { findingLine } from '../../src/doctor/finding.ts'
import { examineHeaders } from '../../src/doctor/headers.ts'

const ROOMY = { maxHeaderSize: 128 * 1024, forwardAssertion: false }
const look = (
  identityHeaders: readonly IdentityHeader[],
  changes: Partial<Pick<Config, 'maxHeaderSize' | 'forwardAssertion'>> = {},
) => examineHeaders({ identityHeaders, ...ROOMY, ...changes }).map(findingLine)

const withGroups = (changes: Partial<IdentityHeader>): readonly IdentityHeader[] =>
  PRESETS.grafana.headers.map((header) =>
    header.header === 'X-WEBAUTH-GROUPS' ? { ...header, ...changes } : header,
  )

t.test('every preset fits into an app that stops at 8 KiB', async (t) => {
  for (const name of PRESET_NAMES)
    t.match(look(PRESETS[name].headers), [
      /^✓ headers {3}for a user with 200 groups they take about/,
    ])
  t.strictSame(look(PRESETS.grafana.headers), [
    '✓ headers   for a user with 200 groups they take about 7.4 KiB\n',
  ])
})

t.test('what is larger is warned of, with what makes it smaller', async (t) => {
  t.match(look(withGroups({ encoding: 'base64' })), [
    /^! headers .* about 9\.8 KiB, and many apps stop at 8 KiB → only in identity_headers/,
  ])
  t.match(look(PRESETS.grafana.headers, { forwardAssertion: true }), [
    /^! headers .* 24\.9 KiB, and .* → forward_assertion, false/,
  ])
})

t.test('a max_bytes that refuses many groups is warned of', async (t) => {
  t.match(look(withGroups({ maxBytes: 4096 })), [
    /^! headers {3}a user with 200 groups is refused → max_bytes in identity_headers/,
  ])
})

t.test('a max_header_size below that of Pomerium is warned of', async (t) => {
  const lines = look(PRESETS.none.headers, { maxHeaderSize: 64 * 1024 })
  t.match(lines, [/^! headers .* those above 64 KiB get 431 → max_header_size, 128KiB/, /^✓/])
})
