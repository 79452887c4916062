import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import t from 'tap'
import { MUTANTS } from '../mutants/all.ts'
import { firstFailure } from '../mutants/run-test.ts'

t.test(
  'every mutant changes one place of the file it names, and what comes out is a program',
  async (t) => {
    for (const { file, harm, source, replacement, tests } of MUTANTS) {
      const text = readFileSync(file, 'utf8')
      const name = `${file}: ${harm}`
      t.equal(text.split(source).length - 1, 1, `${name}: its source occurs once`)
      t.not(source, replacement, name)
      t.doesNotThrow(
        () => stripTypeScriptTypes(text.replace(source, () => replacement)),
        `${name}: still a program`,
      )
      t.ok(tests.length > 0 && tests.every((test) => existsSync(test)), `${name}: its tests exist`)
    }
  },
)

t.test('no two mutants are the same', async (t) => {
  const all = MUTANTS.map(({ file, source, replacement }) => `${file}\n${source}\n${replacement}`)
  t.strictSame(
    all.filter((one, index) => all.indexOf(one) !== index),
    [],
  )
})

t.test('equivalent mutants say why, and are few', async (t) => {
  const equivalent = MUTANTS.flatMap(({ equivalent }) => equivalent ?? [])
  for (const why of equivalent) t.ok(why.length > 20, why)
  t.ok(equivalent.length * 20 <= MUTANTS.length, `${equivalent.length} of ${MUTANTS.length}`)
})

t.test('firstFailure() names the outermost test that failed, or the last words', async (t) => {
  const tap =
    '# Subtest: good\n    ok 1 - a\nok 1 - good\n# Subtest: bad\n    # Subtest: in\n        not ok 1 - b\n'
  t.equal(firstFailure(tap), 'bad')
  t.equal(
    firstFailure('node:internal\n\nTypeError: x is not a function\n    at y'),
    'TypeError: x is not a function',
  )
})
