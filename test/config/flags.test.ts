import t from 'tap'
import { readFlags } from '../../src/config/flags.ts'

const read = (...words: string[]) => {
  const { inputs, problems } = readFlags(words)
  return {
    inputs: Object.fromEntries([...inputs].map(([name, input]) => [name, input])),
    lines: problems.map(({ source, message }) => `${source}: ${message}`),
  }
}

t.test('both forms are read', async (t) => {
  const { inputs, lines } = read(
    '--clock-skew',
    '30s',
    '--issuer=a=b',
    '--audience=',
    '--listen=--',
  )
  t.strictSame(lines, [])
  t.strictSame(inputs, {
    clock_skew: { kind: 'text', source: 'flag --clock-skew', text: '30s' },
    issuer: { kind: 'text', source: 'flag --issuer', text: 'a=b' },
    audience: { kind: 'text', source: 'flag --audience', text: '' },
    listen: { kind: 'text', source: 'flag --listen', text: '--' },
  })
})

const rows: [words: string[], lines: string[]][] = [
  [
    ['--issuer'],
    ['flag --issuer: issuer must have a value (--issuer VALUE or --issuer=VALUE), got none'],
  ],
  [
    ['--issuer', '--audience', 'a'],
    ['flag --issuer: issuer must have a value (--issuer VALUE or --issuer=VALUE), got none'],
  ],
  [['--issuer', 'a', '--issuer=b'], ['flag --issuer: issuer must be given once, got "b" as well']],
  [
    ['--clock_skew', '1s'],
    [
      'flag --clock_skew: the name must be that of a setting (the nearest is --clock-skew), got "--clock_skew"',
    ],
  ],
  [
    ['--frobnicate', 'x'],
    ['flag --frobnicate: the name must be that of a setting, got "--frobnicate"'],
  ],
  [
    ['stray', '-c', '--'],
    ['"stray"', '"-c"', '"--"'].map(
      (got) => `flags: each one must be --some-name VALUE or --some-name=VALUE, got ${got}`,
    ),
  ],
  [
    ['--\u001b[31m=x'],
    ['flags: each one must be --some-name VALUE or --some-name=VALUE, got "--\\u001b[31m"'],
  ],
]
for (const [words, lines] of rows)
  t.test(`${JSON.stringify(words)} is refused`, async (t) => {
    t.strictSame(read(...words).lines, lines)
  })
