import t from 'tap'
import { MAX_REMEMBERED, MAX_REMEMBERED_LENGTH, remember } from '../../src/identity/remember.ts'

function counting() {
  const asked: string[] = []
  const decide = remember((name) => {
    asked.push(name)
    return name.startsWith('x')
  })
  return { asked, decide }
}

t.test('remember() decides once for a name that comes again, whatever the answer', async (t) => {
  const { asked, decide } = counting()
  for (const name of ['x', 'a', 'x', 'a', '']) t.equal(decide(name), name === 'x')
  t.same(asked, ['x', 'a', ''])
})

t.test('remember() holds a bounded number of names', async (t) => {
  const { asked, decide } = counting()
  for (let i = 0; i < MAX_REMEMBERED; i += 1) decide(`x-${i}`)
  decide('x-0')
  t.equal(asked.length, MAX_REMEMBERED)
  decide('one more')
  decide('x-0')
  t.equal(asked.length, MAX_REMEMBERED + 2)
})

t.test('remember() holds no long name', async (t) => {
  const { asked, decide } = counting()
  const longest = 'x'.repeat(MAX_REMEMBERED_LENGTH)
  for (const name of [longest, longest, `${longest}x`, `${longest}x`]) t.equal(decide(name), true)
  t.equal(asked.length, 3)
})
