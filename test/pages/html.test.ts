import { createHash } from 'node:crypto'
import t from 'tap'
import { escapeHtml, htmlPage, PAGE_HEADERS, PAGE_POLICY, prose } from '../../src/pages/html.ts'

t.test('escapeHtml() leaves no way out of text or a quoted attribute', async (t) => {
  t.equal(
    escapeHtml(`<a href="x" title='y'>&`),
    '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;',
  )
})

t.test('prose() escapes, and makes code of what stands between backticks', async (t) => {
  t.equal(prose('Set `a: <b>` & go'), 'Set <code>a: &lt;b&gt;</code> &amp; go')
})

const page = (heading: string) =>
  htmlPage(
    { mood: 'good', kicker: 'kicker', heading, lead: '<p>lead</p>', sections: [] },
    { requestId: 'id-1', now: Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
  )

t.test('the policy allows the one style of the page, and nothing else', async (t) => {
  const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page('x')) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  t.equal(
    PAGE_POLICY,
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  )
  t.strictSame(PAGE_HEADERS, [
    ...['Content-Security-Policy', PAGE_POLICY],
    ...['Referrer-Policy', 'no-referrer'],
  ])
})

t.test('a page needs nothing that its policy forbids', async (t) => {
  t.notMatch(page('x'), /<script|\sstyle=|\son\w+=|<img|<link|<form|url\(|https?:/)
})

t.test('a heading cannot hold markup, neither on the page nor in its title', async (t) => {
  t.notMatch(page('<i>Ana</i>'), '<i>')
  t.match(page('<i>Ana</i>'), '<title>&lt;i&gt;Ana')
})

t.test('a page says when it was made and for which request', async (t) => {
  t.match(page('x'), '<time datetime="2026-01-02T03:04:05.678Z">2026-01-02 03:04:05 UTC</time>')
  t.match(page('x'), 'Request number <code>id-1</code>')
})
