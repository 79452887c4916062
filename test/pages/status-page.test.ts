import t from 'tap'
import type { Verified } from '../../src/assertion/verify.ts'
import { statusPage } from '../../src/pages/status-page.ts'

const OPTIONS = { headers: [], requestId: 'id-1', now: 1_767_323_045_000 } as const
const ANA: Verified = {
  claims: { sub: 'u1', name: 'Ana <Kovač>', email: 'ana@example.com', iat: 1_767_323_043 },
  alg: 'ES256',
  kid: 'k',
  anonymous: false,
}
const pageOf = (verified: Verified | undefined, dropped = 0) =>
  statusPage({ verified, lines: [], dropped }, OPTIONS)

t.test('a verified visitor is named by name, with the address beside it', async (t) => {
  t.match(pageOf(ANA), /<h1[^>]*>Verified: Ana &lt;Kovač&gt;<\/h1>\n<p><bdi>ana@example.com/)
  const nameless = pageOf({ ...ANA, claims: { sub: 'u1', name: '', email: 7 } })
  t.match(nameless, /<h1[^>]*>Verified: u1<\/h1>/)
  t.match(pageOf(ANA), 'the signature (ES256)')
})

t.test(
  'without a verified identity there is no claim, and nobody is said to be verified',
  async (t) => {
    const page = pageOf(undefined)
    t.match(page, '<h1 dir="auto">No verified identity</h1>')
    t.notMatch(page, /What Pomerium says|Verified:|has just checked/)
  },
)

t.test('an assertion that names nobody is verified, but nobody is signed in', async (t) => {
  const page = pageOf({ ...ANA, anonymous: true })
  t.match(page, 'Nobody is signed in')
  t.notMatch(page, 'You are signed in')
})

t.test('the headers are those that are sent, in their order, without markup', async (t) => {
  const headers = [
    ['X-B', '<u>'],
    ['X-A', 'a'],
  ] as const
  const page = statusPage({ verified: ANA, lines: [], dropped: 0 }, { ...OPTIONS, headers })
  t.match(page, /X-B[\s\S]*&lt;u&gt;[\s\S]*X-A/)
  t.notMatch(page, '<u>')
  t.match(pageOf(ANA), 'no identity header is sent')
})

t.test('items that were left out are counted', async (t) => {
  const page = (dropped: number) =>
    statusPage({ verified: ANA, lines: [], dropped }, { ...OPTIONS, headers: [['X-A', 'a']] })
  t.match(page(1), '1 item was left out')
  t.match(page(2), '2 items were left out')
  t.notMatch(page(0), 'left out')
})
