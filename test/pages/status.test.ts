import t from 'tap'
import type { Verified } from '../../src/assertion/verify.ts'
import { escapeHtml, statusAnswer } from '../../src/pages/status.ts'

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

t.test('escapeHtml() leaves no way out of text or a quoted attribute', async (t) => {
  t.equal(
    escapeHtml(`<a href="x" title='y'>&`),
    '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;',
  )
})
