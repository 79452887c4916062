import t from 'tap'
import type { Verified } from '../../src/assertion/verify.ts'
import { statusAnswer } from '../../src/pages/status.ts'

const verified: Verified = {
  claims: { sub: 'u1', name: '<i>"Žofie"', groups: ['a', 'b'], '<b>': 'x' },
  alg: 'ES256',
  kid: 'k',
  anonymous: false,
}
const lines = ['X-Name', Buffer.from('Žofie').toString('latin1')]

t.test('the JSON shows the claims and the identity headers as text', async (t) => {
  const { body, headers } = statusAnswer(
    { lines, verified, dropped: 0 },
    { requestId: 'id', accept: undefined },
  )
  t.same(JSON.parse(body.toString()), {
    verified: true,
    claims: verified.claims,
    headers: { 'X-Name': 'Žofie' },
    request_id: 'id',
  })
  t.ok(headers.includes('no-store'))
})

t.test('the page escapes what it shows and may run nothing', async (t) => {
  const { body, headers } = statusAnswer(
    { lines, verified, dropped: 0 },
    { requestId: 'id', accept: 'text/html' },
  )
  t.match(body.toString(), '&lt;i&gt;&quot;Žofie&quot;')
  t.match(body.toString(), '&lt;b&gt;')
  t.notMatch(body.toString(), /<i>|<b>|<script/)
  t.match(
    headers[headers.indexOf('Content-Security-Policy') + 1],
    /^default-src 'none'; style-src 'sha256-/,
  )
})

t.test('a visitor without a verified identity is told so', async (t) => {
  const { body } = statusAnswer(
    { lines: [], verified: undefined, dropped: 0 },
    { requestId: 'id', accept: 'text/html' },
  )
  t.match(body.toString(), 'No verified identity')
})

t.test('a token in a claim or a header is never shown', async (t) => {
  const token = `e${'y'.repeat(20)}.${'a'.repeat(20)}.${'b'.repeat(20)}`
  for (const accept of [undefined, 'text/html']) {
    const { body } = statusAnswer(
      {
        lines: ['X-Pomerium-Jwt-Assertion', token],
        verified: { ...verified, claims: { ...verified.claims, id_token: token } },
        dropped: 0,
      },
      { requestId: 'id', accept },
    )
    t.notMatch(body.toString(), 'yyyyyy')
    t.match(body.toString(), '(the assertion)')
  }
})

t.test('a header that is sent more than once has a list of its values', async (t) => {
  const { body } = statusAnswer(
    { lines: ['X-Group', 'a', 'X-Group', 'b', 'X-Name', 'c'], verified, dropped: 0 },
    { requestId: 'id', accept: undefined },
  )
  t.same(JSON.parse(body.toString()).headers, { 'X-Group': ['a', 'b'], 'X-Name': 'c' })
})

t.test('the answer names its request', async (t) => {
  const { headers } = statusAnswer(
    { lines, verified, dropped: 0 },
    { requestId: 'id-1', accept: undefined },
  )
  t.equal(headers[headers.indexOf('X-Request-Id') + 1], 'id-1')
})
