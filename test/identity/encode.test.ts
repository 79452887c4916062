import fc from 'fast-check'
import t from 'tap'
import { ENCODINGS, type Encoding } from '../../src/config/config.ts'
import { encode } from '../../src/identity/encode.ts'
import { decode } from '../helpers/decode.ts'

const bytes = (...values: number[]) => String.fromCharCode(...values)

const cases: readonly (readonly [Encoding, string, string | undefined])[] = [
  ['utf8', 'ann@example.com', 'ann@example.com'],
  ['utf8', 'José', `Jos${bytes(0xc3, 0xa9)}`],
  ['utf8', '张', bytes(0xe5, 0xbc, 0xa0)],
  ['utf8', '😀', bytes(0xf0, 0x9f, 0x98, 0x80)],
  ['utf8', 'aĊb', `a${bytes(0xc4, 0x8a)}b`],
  ['percent', 'a b,c+d@e', 'a b,c+d@e'],
  ['percent', '100%', '100%25'],
  ['percent', 'José', 'Jos%C3%A9'],
  ['percent', 'a=b', 'a=b'],
  ['quoted-printable', 'a=b', 'a=3Db'],
  ['quoted-printable', '100%', '100%'],
  ['quoted-printable', 'José', 'Jos=C3=A9'],
  ['rfc2047', 'ann', 'ann'],
  ['rfc2047', 'José', '=?UTF-8?B?Sm9zw6k=?='],
  ['rfc2047', '=?UTF-8?B?cm9vdA==?=', '=?UTF-8?B?PT9VVEYtOD9CP2NtOXZkQT09Pz0=?='],
  ['base64', 'ann', 'YW5u'],
  ['base64', 'José', 'Sm9zw6k='],
  ['ascii', 'ann', 'ann'],
  ['ascii', 'José', undefined],
  ['ascii', '\u007f', undefined],
]
for (const [encoding, text, wanted] of cases) {
  t.test(`encode() says ${text} in ${encoding}`, async (t) =>
    t.equal(encode(text, encoding), wanted),
  )
}

t.test('encode() has no default that lets text through', async (t) => {
  t.equal(encode('a', 'latin1' as Encoding), undefined)
})

t.test('encode() breaks long rfc2047 text into words of 75 characters at most', async (t) => {
  const text = 'é😀張'.repeat(200)
  const encoded = encode(text, 'rfc2047') ?? ''
  const words = encoded.split(' ')
  t.ok(words.length > 1)
  t.same(
    words.filter((word) => word.length > 75),
    [],
  )
  for (const word of words) t.notMatch(decode(word, 'rfc2047'), /\ufffd/)
  t.equal(decode(encoded, 'rfc2047'), text)
})

const texts = fc
  .string({ unit: 'binary', maxLength: 60 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text) && text.trim() === text)

for (const encoding of ENCODINGS) {
  t.test(
    `encode() in ${encoding} is read back as the same text, without a control byte`,
    async (t) => {
      let said = 0
      const runs = fc.oneof(texts, fc.string({ unit: fc.constantFrom(...'=?%UTF-8Bé,_ az') }))
      fc.assert(
        fc.property(runs, (text) => {
          const encoded = encode(text, encoding)
          if (encoded === undefined) return encoding === 'ascii'
          said += 1
          return decode(encoded, encoding) === text && !/[^\x20-\x7e\x80-\xff]/.test(encoded)
        }),
        { numRuns: 2000 },
      )
      t.ok(said > 100)
    },
  )
}
