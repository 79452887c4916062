import t from 'tap'
import { createCounter } from '../../src/report/counter.ts'

t.test('the most frequent texts come first, and the rest is counted', async (t) => {
  const counter = createCounter()
  for (const text of ['a', 'b', 'c', 'b', 'c', 'c']) counter.add(text)
  t.strictSame(counter.top(2), [
    { text: 'c', count: 3 },
    { text: 'b', count: 2 },
  ])
  t.equal(counter.beyond(2), 1)
  t.equal(counter.beyond(3), 0)
})

t.test('five hundred texts are told apart, and what comes later still counts', async (t) => {
  const counter = createCounter()
  for (let i = 0; i < 2_000; i++) counter.add(`text ${i}`)
  counter.add('text 0')
  counter.add('text 1999')
  t.equal(counter.top(3_000).length, 500)
  t.strictSame(counter.top(1), [{ text: 'text 0', count: 2 }])
  t.equal(counter.beyond(3_000), 1_501)
})

t.test('a text is cut to 256 characters', async (t) => {
  const counter = createCounter()
  counter.add('x'.repeat(5_000))
  t.strictSame(counter.top(1), [{ text: 'x'.repeat(256), count: 1 }])
})
