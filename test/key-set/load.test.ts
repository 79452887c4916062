import t from 'tap'
import { createScripted, failed, setOf } from './scripted.ts'

for (const [name, answer] of [
  ['an empty set', setOf('')],
  ['garbage', setOf('garbage')],
  ['a failure', failed('status 502')],
] as const) {
  t.test(`${name} after good keys leaves them in use and counts as an error`, async (t) => {
    const scripted = createScripted(t)
    const { keySet, clock, kids, outcomes, log } = scripted
    scripted.answer(setOf('a'))
    keySet.start()
    await clock.advance(0)
    scripted.answer(answer)
    await clock.advance(300_000)
    t.same(kids(), ['a'])
    t.ok(outcomes.length > 3)
    t.ok(outcomes.slice(1).every((outcome) => outcome === 'error'))
    t.equal(log.lines.length, 2, 'told once')
    t.match(log.lines[1], {
      level: 'warn',
      message: 'key set not refreshed, the last good keys stay in use',
    })
  })

  t.test(`${name} at start is not usable, is told once, and is got over`, async (t) => {
    const scripted = createScripted(t)
    const { keySet, clock, kids, log } = scripted
    scripted.answer(answer)
    keySet.start()
    await clock.advance(60_000)
    t.equal(kids(), undefined)
    t.match(keySet.status().reason, /^no key set was loaded: /)
    t.notMatch(keySet.status().reason, /host\.example/)
    t.same(
      log.lines.map(({ level, message }) => [level, message]),
      [['error', 'key set not loaded']],
    )
    scripted.answer(setOf('a'))
    await clock.advance(8_000)
    t.same(kids(), ['a'])
    t.same(
      log.lines.slice(1).map(({ message }) => message),
      ['key set loaded', 'key set loads again'],
    )
  })
}

t.test('an entity tag is sent only for the text in use', async (t) => {
  const { keySet, clock, answer, fetches } = createScripted(t)
  answer({ kind: 'set', text: 'garbage', etag: '"bad"', maxAge: undefined })
  keySet.start()
  answer({ kind: 'set', text: 'a', etag: '"good"', maxAge: undefined })
  await clock.advance(1_000)
  answer({ kind: 'set', text: 'garbage', etag: '"bad"', maxAge: undefined })
  await clock.advance(60_000)
  await clock.advance(1_000)
  t.same(
    fetches.map(({ etag }) => etag),
    [undefined, undefined, '"good"', '"good"'],
  )
})

t.test('"not modified" to a first request is a failure', async (t) => {
  const { keySet, clock, answer, kids, outcomes } = createScripted(t)
  answer({ kind: 'not-modified', maxAge: undefined })
  keySet.start()
  await clock.advance(0)
  t.equal(kids(), undefined)
  t.same(outcomes, ['error'])
})

t.test('an answer with the same text is no change, and is told as none', async (t) => {
  const { keySet, clock, answer, outcomes, kids, log } = createScripted(t)
  answer(setOf('a'))
  keySet.start()
  await clock.advance(60_000)
  t.same(outcomes, ['ok', 'ok'])
  t.same(kids(), ['a'])
  t.same(
    log.lines.map(({ message }) => message),
    ['key set loaded'],
  )
})
