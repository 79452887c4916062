import t from 'tap'
import { linesOf } from '../../src/report/lines.ts'

async function* chunks(...texts: (string | Uint8Array)[]) {
  for (const text of texts) yield typeof text === 'string' ? Buffer.from(text) : text
}

async function all(...texts: (string | Uint8Array)[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(chunks(...texts))) lines.push(line)
  return lines
}

t.test('lines are cut at their ends, wherever the chunks are', async (t) => {
  t.strictSame(await all('a\nb', 'c\n\nd', '', '\n'), ['a', 'bc', '', 'd'])
  t.strictSame(await all('a\nb'), ['a', 'b'], 'the last one needs no end')
  t.strictSame(await all(), [])
  const bytes = Buffer.from('é\n')
  t.strictSame(await all(bytes.subarray(0, 1), bytes.subarray(1)), ['é'], 'a character in pieces')
})

t.test('a line that is too long is empty, and the next one whole', async (t) => {
  const long = 'x'.repeat(40_000)
  t.strictSame(await all(long, long, long, 'y\nb\n'), ['', 'b'])
  t.strictSame(await all(`${long}${long}\nb`), ['', 'b'], 'also when it comes at once')
  t.strictSame(await all(long, long), [''], 'also without an end')
  t.strictSame(await all('x'.repeat(65_536), '\nb'), ['x'.repeat(65_536), 'b'], '64 KiB are kept')
})
