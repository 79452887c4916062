import t from 'tap'
import type { Transform } from '../../src/config/config.ts'
import { checkText, scalarText, transform } from '../../src/identity/text.ts'

const REFUSED = { code: 'ERR_ASSERTION_CLAIM', status: 401 }

const controls = [
  '\0',
  '\t',
  '\n',
  '\v',
  '\f',
  '\r',
  '\x1b',
  '\x1f',
  '\x7f',
  '\x80',
  '\x85',
  '\x9f',
]
for (const control of controls) {
  t.test(`checkText() refuses ${JSON.stringify(control)} anywhere`, async (t) => {
    for (const text of [control, `${control}a`, `a${control}b`, `a${control}`]) {
      t.throws(() => checkText(text), REFUSED)
    }
  })
}

t.test('checkText() refuses lone surrogates', async (t) => {
  for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800', '\ud83d😀']) {
    t.throws(() => checkText(text), REFUSED)
  }
})

t.test('checkText() refuses white space at an end', async (t) => {
  for (const blank of [' ', '\u00a0', '\u1680', '\u2003', '\u2028', '\u2029', '\u3000', '\ufeff']) {
    for (const text of [`${blank}a`, `a${blank}`, blank]) t.throws(() => checkText(text), REFUSED)
    t.equal(checkText(`a${blank}b`), `a${blank}b`)
  }
})

t.test('checkText() keeps every other text as it is', async (t) => {
  const texts = [
    '',
    'ann@example.com',
    'José',
    '张三',
    '👩‍💻',
    '\u202emoc',
    'e\u0301',
    'à',
    '\ufffd',
  ]
  for (const text of texts) t.equal(checkText(text), text)
})

const scalars: readonly (readonly [unknown, string])[] = [
  ['a', 'a'],
  [42, '42'],
  [-1, '-1'],
  [1.5, '1.5'],
  [0, '0'],
  [1e-7, '1e-7'],
  [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  [true, 'true'],
  [false, 'false'],
]
for (const [value, text] of scalars) {
  t.test(`scalarText() says ${JSON.stringify(value)} as ${text}`, async (t) => {
    t.equal(scalarText(value), text)
  })
}

const unusable = [
  2 ** 53,
  -(2 ** 53),
  1e21,
  Number.POSITIVE_INFINITY,
  Number.NaN,
  {},
  [],
  ['a'],
  null,
  undefined,
  'a\nb',
]
for (const value of unusable) {
  t.test(`scalarText() refuses ${JSON.stringify(value) ?? String(value)}`, async (t) => {
    t.throws(() => scalarText(value), REFUSED)
  })
}

const transforms: readonly (readonly [string, readonly Transform[], string])[] = [
  ['Ann@Example.COM', [], 'Ann@Example.COM'],
  ['Ann@Example.COM', ['lower'], 'ann@example.com'],
  ['Ann@Example.COM', ['local_part'], 'Ann'],
  ['Ann@Example.COM', ['local_part', 'lower'], 'ann'],
  ['Ann@Example.COM', ['lower', 'local_part'], 'ann'],
  ['user-1', ['local_part'], 'user-1'],
  // By Unicode's rules these would be "kate" and "istanbul" with a dot more.
  ['\u212aATE', ['lower'], '\u212aate'],
  ['\u0130STANBUL', ['lower'], '\u0130stanbul'],
  ['ÉMILE', ['lower'], 'Émile'],
]
for (const [text, names, result] of transforms) {
  t.test(
    `transform() makes ${result} of ${text} by ${names.join(', ') || 'nothing'}`,
    async (t) => {
      t.equal(transform(text, names), result)
    },
  )
}

for (const text of [
  '@example.com',
  'a@b@example.com',
  'mallory@evil.example@example.com',
  'a @b',
]) {
  t.test(`transform() refuses the local part of ${text}`, async (t) => {
    t.throws(() => transform(text, ['local_part']), REFUSED)
  })
}

t.test('checkText() names the kind of fault and no byte of the text', async (t) => {
  t.throws(() => checkText('secret\n'), {
    reason: 'a control character',
    message: 'A claim is absent or cannot be used',
  })
})
