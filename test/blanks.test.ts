import t from 'tap'
import { trimBlanks } from '../src/blanks.ts'

t.test('spaces and tabs go from both ends, and only these', async (t) => {
  t.equal(trimBlanks(' \t a \t b\t '), 'a \t b')
  t.equal(trimBlanks(' \t '), '')
  t.equal(trimBlanks(''), '')
  for (const other of ['\xa0', '\x85', '\v', '\f', '\r', '\n', '\0', '\ufeff'])
    t.equal(trimBlanks(`${other}a${other}`), `${other}a${other}`, JSON.stringify(other))
})

t.test('a long run of blanks inside costs no more than its length', async (t) => {
  const text = `a${' '.repeat(1_000_000)}b`
  const started = performance.now()
  t.equal(trimBlanks(text), text)
  t.ok(performance.now() - started < 1_000)
})
