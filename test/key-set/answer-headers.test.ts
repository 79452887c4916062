import t from 'tap'
import { readEtag, readMaxAge, readRetryAfter } from '../../src/key-set/answer-headers.ts'

for (const [control, maxAge] of [
  [undefined, undefined],
  ['', undefined],
  ['public', undefined],
  ['max-age=60', 60_000],
  ['public, MAX-AGE=60, must-revalidate', 60_000],
  ['max-age="60"', 60_000],
  ['max-age = 60', 60_000],
  ['s-maxage=5', undefined],
  ['x-max-age=5', undefined],
  ['max-age=-1', undefined],
  ['max-age=6e9', undefined],
  ['max-age=99999999999', undefined],
  ['max-age=0', 0],
  ['no-store', 0],
  ['no-cache, max-age=600', 0],
] as const) {
  t.test(`Cache-Control ${control} is ${maxAge} ms`, async (t) => {
    t.equal(readMaxAge({ 'cache-control': control }), maxAge)
  })
}

t.test('an entity tag is taken only when it is well-formed and short', async (t) => {
  for (const etag of ['"a"', 'W/"a"', '""']) t.equal(readEtag({ etag }), etag)
  for (const etag of ['a', '"a', '"a"b"', '"é"', '"a b"', `"${'a'.repeat(257)}"`]) {
    t.equal(readEtag({ etag }), undefined, etag)
  }
  t.equal(readEtag({}), undefined)
})

t.test('Retry-After is taken in seconds alone', async (t) => {
  t.equal(readRetryAfter({ 'retry-after': '120' }), 120_000)
  for (const value of ['', '-1', '1.5', '1e9', 'Wed, 21 Oct 2026 07:28:00 GMT', '9'.repeat(10)]) {
    t.equal(readRetryAfter({ 'retry-after': value }), undefined, value)
  }
  t.equal(readRetryAfter({}), undefined)
})
