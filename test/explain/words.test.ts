import t from 'tap'
import { distance, printable, show, showDate, span } from '../../src/explain/words.ts'

t.test('a length of time is told by its two largest units', async (t) => {
  for (const [seconds, wanted] of [
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [252, '4 min 12 s'],
    [1500, '25 min'],
    [3600, '1 h'],
    [5400, '1 h 30 min'],
    [86_400, '1 day'],
    [180_000, '2 days 2 h'],
    [86_400 * 400, '400 days'],
  ] as const)
    t.equal(span(seconds * 1000), wanted)
  t.equal(span(-60_000), '1 min')
})

t.test('a distance says which side of now', async (t) => {
  t.equal(distance(1_000_000, 1_180_000), '3 min ago')
  t.equal(distance(1_180_000, 1_000_000), 'in 3 min')
  t.equal(distance(1_000_000, 1_000_400), 'now')
})

t.test('dates are written in UTC, and what is no date as it is', async (t) => {
  t.equal(showDate(1_800_000_000), '2027-01-15T08:00:00Z')
  t.equal(showDate(1_800_000_000.5), '2027-01-15T08:00:00.500Z')
  t.equal(showDate(-1e300), '-1e+300')
  t.equal(showDate('soon'), '"soon"')
  t.equal(showDate(undefined), 'absent')
})

t.test('no value moves the cursor, turns the text or floods the terminal', async (t) => {
  t.equal(show('a\u001b[2Jb'), '"a\\u001b[2Jb"')
  t.equal(show('a\u009b\u202eb'), '"a\\u{9b}\\u{202e}b"')
  t.equal(printable('a\nb'), 'a\\u{a}b')
  t.equal(show('x'.repeat(1000)).length, 161)
  t.equal(show(['a', 1]), '["a",1]')
  t.equal(show('Kovač 日本'), '"Kovač 日本"')
})
