import t from 'tap'
import { claimRows } from '../../src/pages/claim-rows.ts'

const NOW = 1_767_323_045
const TOKEN = `e${'y'.repeat(20)}.${'a'.repeat(20)}.${'b'.repeat(20)}`

t.test('times are told both ways', async (t) => {
  const rows = claimRows({ iat: NOW - 2, exp: NOW + 298 }, NOW)
  t.match(
    rows,
    '2 seconds ago <small><time datetime="2026-01-02T03:04:03Z">2026-01-02 03:04:03 UTC',
  )
  t.match(rows, 'in 4 minutes 58 seconds')
})

t.test('a number of another claim, and a time without a date, stay numbers', async (t) => {
  t.match(claimRows({ level: 3 }, NOW), '>3<')
  t.match(claimRows({ auth_time: 9e15 }, NOW), '>9000000000000000<')
})

t.test('known claims come first, others after them in their own order', async (t) => {
  const rows = claimRows({ zeta: 1, jti: 'x', alpha: 2, name: 'Ana' }, NOW)
  const names = [...rows.matchAll(/<dt><code><bdi>(\w+)/g)].map(([, name]) => name)
  t.strictSame(names, ['name', 'jti', 'zeta', 'alpha'])
})

t.test('lists have one item each, and what is empty says so', async (t) => {
  t.match(claimRows({ groups: ['a', 'b'] }, NOW), /<li>.*a.*<\/li><li>.*b.*<\/li>/)
  for (const empty of ['', null, []]) t.match(claimRows({ groups: empty }, NOW), '>empty<')
  t.match(claimRows({ groups: [1, 'a'] }, NOW), '[1,&quot;a&quot;]')
  t.equal(claimRows({}, NOW), '<p>Nothing.</p>')
})

t.test('neither a name nor a value can hold markup', async (t) => {
  const rows = claimRows({ '<u>': '<u>', name: '"><u>', groups: ['<u>'], x: { y: '<u>' } }, NOW)
  t.notMatch(rows, '<u>')
  t.match(rows, '&lt;u&gt;')
})

t.test('no token is shown, wherever it stands', async (t) => {
  const rows = claimRows({ name: TOKEN, groups: [TOKEN], x: { y: TOKEN } }, NOW)
  t.notMatch(rows, TOKEN)
  t.notMatch(rows, 'yyyyyyyy')
})

t.test('inherited names have no words of ours', async (t) => {
  t.notMatch(claimRows({ constructor: 'x' }, NOW), '<small>')
})
