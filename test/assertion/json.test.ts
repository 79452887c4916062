import t from 'tap'
import { MAX_DEPTH, parseObject } from '../../src/assertion/json.ts'

const bytes = (text: string) => Buffer.from(text, 'utf8')

t.test('parseObject() gives the own members on an object without prototype', async (t) => {
  const members = parseObject(bytes('{"a":1,"__proto__":{"admin":true},"é":"ü"}'))
  t.equal(Object.getPrototypeOf(members), null)
  t.same(Object.keys(members ?? {}), ['a', '__proto__', 'é'])
  t.equal(members?.['admin'], undefined)
})

t.test('parseObject() keeps the last of a repeated name', async (t) => {
  t.equal(parseObject(bytes('{"alg":"none","alg":"ES256"}'))?.['alg'], 'ES256')
})

t.test(
  'parseObject() passes over the blanks of JSON before an object, and no others',
  async (t) => {
    t.same(parseObject(bytes(' \t\n\r{}')), Object.create(null))
    for (const blank of ['\f', '\v', '\u00a0', '\0'])
      t.equal(parseObject(bytes(`${blank}{}`)), undefined)
  },
)

const refused: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', bytes('')],
  ['text that is not JSON', bytes('foo')],
  ['a list', bytes('[]')],
  ['a string', bytes('"a"')],
  ['a number', bytes('1')],
  ['true', bytes('true')],
  ['null', bytes('null')],
  ['something after the object', bytes('{}x')],
  ['a byte order mark', bytes('\uFEFF{}')],
  ['bytes that are not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1')],
  ['an encoded surrogate', Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1')],
  ['UTF-16', Buffer.from('{}', 'utf16le')],
]

for (const [what, data] of refused) {
  t.test(`parseObject() refuses ${what}`, async (t) => t.equal(parseObject(data), undefined))
}

t.test('parseObject() takes lists and objects up to the depth limit and none beyond', async (t) => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  t.type(parseObject(bytes(`{"a":${nested(MAX_DEPTH - 1)}}`)), 'object')
  t.equal(parseObject(bytes(`{"a":${nested(MAX_DEPTH)}}`)), undefined)
  t.equal(parseObject(bytes(`{"a":${nested(50_000)}}`)), undefined)
  t.equal(parseObject(bytes(`{"a":1,"b":[1,${nested(MAX_DEPTH - 1)}]}`)), undefined)
  const objects = `${'{"a":'.repeat(MAX_DEPTH + 1)}1${'}'.repeat(MAX_DEPTH + 1)}`
  t.equal(parseObject(bytes(objects)), undefined)
})
