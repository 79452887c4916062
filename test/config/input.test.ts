import t from 'tap'
import { found, quote, show, textInput } from '../../src/config/input.ts'

t.test('quote() escapes, cuts and hides', async (t) => {
  const rows: [string, string][] = [
    ['abc', '"abc"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['a\r\nb\u0000', '"a\\r\\nb\\u0000"'],
    ['x'.repeat(100), `"${'x'.repeat(100)}"`],
    ['x'.repeat(101), `"${'x'.repeat(100)}…"`],
    ['a\u0085\u202eb', '"a\\u{85}\\u{202e}b"'],
    ['http://ann:pw@host/x', '"http://***@host/x"'],
    ['https://ann@host', '"https://***@host"'],
    ['https://a/b?key=1&c=2', '"https://a/b?***"'],
    ['https://a/b?key=1,https://c', '"https://a/b?***,https://c"'],
    ['/run/a@b', '"/run/a@b"'],
    ['-----BEGIN EC PRIVATE KEY-----\nabc', '"(hidden)"'],
    ['Bearer eyJhbGciOiJFUzI1NiJ9.e30.sig', '"(hidden)"'],
  ]
  for (const [text, quoted] of rows) t.equal(quote(text), quoted)
})

t.test('found() names what cannot be quoted', async (t) => {
  t.equal(found(textInput('', 's')), 'an empty value')
  t.equal(found({ kind: 'list', source: 's', items: [] }), 'a list of 0 items')
  const entry = { key: 'a', source: 's', value: textInput('b', 's') }
  t.equal(found({ kind: 'map', source: 's', entries: [entry] }), 'a map of 1 entry')
})

t.test('show() is one line whatever is in the value', async (t) => {
  t.equal(show(textInput('ÄÖ 1', 's')), 'ÄÖ 1')
  t.equal(show(textInput('a\u001b[31m', 's')), '"a\\u001b[31m"')
  t.equal(show(textInput('https://u:p@h?q', 's')), 'https://***@h?***')
})
