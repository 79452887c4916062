import t from 'tap'
import { readArguments } from '../../src/explain/arguments.ts'

const read = (...words: string[]) => readArguments(words)

t.test('the token may stand anywhere between the settings', async (t) => {
  const flags = ['--route', 'https://a.example.com', '--jwks-file=k.pem']
  const wanted = { pasted: 'a.b.c', format: 'text', flags }
  t.strictSame(read('a.b.c', ...flags), wanted)
  t.strictSame(read(...flags, 'a.b.c'), wanted)
  t.strictSame(read('--route', 'https://a.example.com', 'a.b.c', '--jwks-file=k.pem'), wanted)
})

t.test('--json takes no value, wherever it stands', async (t) => {
  t.strictSame(read('--json', 'a.b.c'), { pasted: 'a.b.c', format: 'json', flags: [] })
  t.strictSame(read('--route', '--json', 'x'), {
    pasted: undefined,
    format: 'json',
    flags: ['--route', 'x'],
  })
})

t.test('nothing and - mean standard input', async (t) => {
  t.equal(read().pasted, undefined)
  t.equal(read('-').pasted, undefined)
  t.equal(read('--jwks-file', 'k.pem', '-').pasted, undefined)
})

t.test('words that lost their quotes are one text again', async (t) => {
  t.equal(read('curl', '-H', 'X: a.b.c', 'https://x/').pasted, 'curl -H X: a.b.c https://x/')
})
