import fc from 'fast-check'
import t from 'tap'
import {
  MAX_HEADER_PART,
  MAX_HEADERS,
  MAX_REMEMBERED_PART,
  parseCompact,
  type ReadHeader,
  rememberHeaders,
} from '../../src/assertion/compact.ts'
import { base64url } from '../helpers/mint.ts'

const HEADER = base64url('{"alg":"ES256"}')

t.test('parseCompact() gives the bytes of the parts and the members of the header', async (t) => {
  const jws = parseCompact(`${HEADER}.YQ.YWI`)
  t.same(
    { ...jws, header: { ...jws.header } },
    {
      payload: Buffer.from('a'),
      signature: Buffer.from('ab'),
      signed: Buffer.from(`${HEADER}.YQ`),
      header: { alg: 'ES256' },
    },
  )
  t.equal(Object.getPrototypeOf(jws.header), null)
})

const malformed: readonly (readonly [string, string])[] = [
  ['no parts', ''],
  ['one part', `${base64url('{"a":1}')}A`],
  ['two parts', `${HEADER}.YQ`],
  ['four parts', `${HEADER}.YQ.YWI.`],
  ['an empty header', '.YQ.YWI'],
  ['spare bits in the header', `${base64url('{"a":1}').slice(0, -1)}R.YQ.YWI`],
  ['spare bits in a payload of one byte', `${HEADER}.YR.YWI`],
  ['spare bits in a payload of two bytes', `${HEADER}.YWJ.YWI`],
  ['spare bits in the signature', `${HEADER}.YQ.YWJ`],
  ['a fifth part', `${HEADER}.YQ.YWI.YQ.YQ`],
  ['a length no bytes have', `${HEADER}.YWJjZ.YWI`],
  ['padding', `${HEADER}.YQ==.YWI`],
  ['the standard alphabet', `${HEADER}.-_+/.YWI`],
  ['something before it', `!!!!${HEADER}.YQ.YWI`],
  ['a blank', `${HEADER}.YW Jj.YWI`],
  ['a line break at the end', `${HEADER}.YQ.YWJj\n`],
  ['a letter beyond ASCII', `${HEADER}.YQ.YWJé`],
  ['a header that is no JSON', `${base64url('foo')}.YQ.YWI`],
  ['a header that is a string', `${base64url('"ES256"')}.YQ.YWI`],
  ['a header with a byte order mark', `${base64url('\uFEFF{"alg":"ES256"}')}.YQ.YWI`],
]

for (const [what, assertion] of malformed) {
  t.test(`parseCompact() refuses ${what}`, async (t) => {
    t.throws(() => parseCompact(assertion), { code: 'ERR_ASSERTION_MALFORMED', status: 401 })
  })
}

t.test('parseCompact() takes a header part up to its limit and none beyond', async (t) => {
  const header = (size: number) => base64url(JSON.stringify({ kid: 'k'.repeat(size) }))
  const fits = header((MAX_HEADER_PART / 4) * 3 - 10)
  t.equal(fits.length, MAX_HEADER_PART)
  t.type(parseCompact(`${fits}.YQ.YWI`), 'object')
  t.throws(() => parseCompact(`${header((MAX_HEADER_PART / 4) * 3)}.YQ.YWI`), {
    code: 'ERR_ASSERTION_TOO_LARGE',
  })
})

t.test('parseCompact() accepts exactly one spelling of any bytes', async (t) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const text = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 })
  fc.assert(
    fc.property(text, (part) => {
      const isCanonical = Buffer.from(part, 'base64url').toString('base64url') === part
      let isAccepted = true
      try {
        parseCompact(`${HEADER}.${part}.YWI`)
        parseCompact(`${HEADER}.YWI.${part}`)
      } catch {
        isAccepted = false
      }
      return isAccepted === isCanonical
    }),
    { numRuns: 2000 },
  )
  t.pass('for 2000 parts')
})

/** Counts how often each part is really read. */
function countingReader() {
  const reads = new Map<string, number>()
  const read: ReadHeader = (part) => {
    reads.set(part, (reads.get(part) ?? 0) + 1)
    if (part.startsWith('!')) return undefined
    return Object.assign(Object.create(null), { part })
  }
  return { read, times: (part: string) => reads.get(part) ?? 0 }
}

t.test('parseCompact() accepts exactly one spelling of a header', async (t) => {
  const accepts = (part: string): boolean => {
    try {
      return parseCompact(`${part}.YQ.YWI`) !== undefined
    } catch {
      return false
    }
  }
  for (const text of ['{}', '{"a":1}', '{"a":12}', '{"a":123}', '{"a":"?>?>"}', '{"a":"Ã¿þ"}']) {
    const part = base64url(text)
    t.equal(accepts(part), true, text)
    const spellings = [
      `${part}=`,
      `${part}==`,
      `${part} `,
      ` ${part}`,
      `${part}\n`,
      `!${part}`,
      `${part}!`,
    ]
    const inside = [`${part.slice(0, 3)}*${part.slice(3)}`, `${part.slice(0, 3)}\t${part.slice(3)}`]
    const standard = part.replaceAll('-', '+').replaceAll('_', '/')
    for (const spelling of [...spellings, ...inside, ...(standard === part ? [] : [standard])])
      t.equal(accepts(spelling), false, spelling)
  }
})

t.test('rememberHeaders() reads a header part once, and nobody can change it', async (t) => {
  const { read, times } = countingReader()
  const remembering = rememberHeaders(read)
  const first = remembering('a')
  t.equal(remembering('a'), first)
  t.equal(times('a'), 1)
  t.equal(Object.isFrozen(first), true)
  t.match(remembering('b'), { part: 'b' })
})

t.test('rememberHeaders() keeps nothing of what is no header, or too long', async (t) => {
  const { read, times } = countingReader()
  const remembering = rememberHeaders(read)
  const longest = 'x'.repeat(MAX_REMEMBERED_PART)
  for (const part of ['!', longest, `${longest}x`]) {
    remembering(part)
    remembering(part)
  }
  t.same([times('!'), times(longest), times(`${longest}x`)], [2, 1, 2])
})

t.test(`rememberHeaders() holds ${MAX_HEADERS} at most, then starts anew`, async (t) => {
  const { read, times } = countingReader()
  const remembering = rememberHeaders(read)
  for (let i = 0; i < MAX_HEADERS; i += 1) remembering(`h${i}`)
  remembering('h0')
  t.equal(times('h0'), 1)
  remembering('one more')
  remembering('h0')
  t.equal(times('h0'), 2)
})
