import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { stat } from 'node:fs/promises'
import fc from 'fast-check'
import { flattenedVerify } from 'jose'
import t from 'tap'
import { createCheckSignature, ecdsaDer, placeFor } from '../../src/key-set/signature.ts'
import { createKey } from '../helpers/keys.ts'
import { base64url, signerOf } from '../helpers/mint.ts'

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA']
const PLACES = ['loop', 'pool'] as const
const DATA = Buffer.from('header.payload')

for (const alg of ALGORITHMS) {
  const key = createKey(alg)
  const signature = Buffer.from(signerOf(key)(DATA.toString()))
  for (const place of PLACES) {
    const check = createCheckSignature(alg, key.publicKey, place)
    t.test(
      `${alg}, ${place}: the signature of the key over these bytes, and no other`,
      async (t) => {
        t.equal(await check(DATA, signature), true)
        t.equal(await check(Buffer.from('header.payloae'), signature), false)
        const stranger = Buffer.from(signerOf(createKey(alg))(DATA.toString()))
        t.equal(await check(DATA, stranger), false)
        for (const wrong of [
          Buffer.alloc(0),
          Buffer.alloc(signature.length),
          signature.subarray(1),
          signature.subarray(0, -1),
          Buffer.concat([signature, Buffer.alloc(1)]),
          Buffer.concat([Buffer.alloc(1), signature]),
        ])
          t.equal(await check(DATA, wrong), false, `${wrong.length} bytes`)
      },
    )
  }
}

t.test('RSA signatures of the other scheme, hash or salt length are refused', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const made = {
    RS256: sign('sha256', DATA, privateKey),
    RS384: sign('sha384', DATA, privateKey),
    PS256: pss(privateKey, 'sha256', 32),
    PS384: pss(privateKey, 'sha384', 48),
    'PS256 with a short salt': pss(privateKey, 'sha256', 20),
    'PS256 without salt': pss(privateKey, 'sha256', 0),
  }
  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
    const check = createCheckSignature(alg, publicKey, 'loop')
    for (const [what, signature] of Object.entries(made))
      t.equal(await check(DATA, signature), what === alg, `${what} as ${alg}`)
  }
})

const pss = (key: KeyObject, hash: string, saltLength: number) =>
  sign(hash, DATA, { key, padding: 6, saltLength })

t.test('a DER signature is not taken for two numbers side by side', async (t) => {
  const key = createKey()
  const der = sign('sha256', DATA, key.privateKey)
  t.equal(await createCheckSignature('ES256', key.publicKey, 'loop')(DATA, der), false)
})

t.test('an algorithm that is not in the table has no check', (t) => {
  const { publicKey } = createKey()
  for (const alg of ['none', 'HS256', 'es256', 'ES256K', '', 'toString'])
    t.throws(() => createCheckSignature(alg, publicKey, 'loop'), { name: 'TypeError' })
  t.end()
})

const halves = [32, 48, 66]
const integer = (size: number) =>
  fc.oneof(
    fc.uint8Array({ minLength: size, maxLength: size }),
    // Leading zeros, and first bits that would make a number negative.
    fc.uint8Array({ minLength: 0, maxLength: size }).map((tail) => {
      const bytes = new Uint8Array(size)
      bytes.set(tail, size - tail.length)
      return bytes
    }),
  )

for (const half of halves) {
  t.test(`ecdsaDer() gives two minimal positive integers of up to ${half} bytes`, (t) => {
    fc.assert(
      fc.property(integer(half), integer(half), (r, s) => {
        const der = ecdsaDer(Buffer.concat([r, s]), half)
        return (
          der !== undefined && JSON.stringify(readDer(der)) === JSON.stringify([hex(r), hex(s)])
        )
      }),
    )
    t.equal(ecdsaDer(Buffer.alloc(half * 2 - 1), half), undefined)
    t.equal(ecdsaDer(Buffer.alloc(half * 2 + 1), half), undefined)
    t.equal(ecdsaDer(Buffer.alloc(0), half), undefined)
    t.end()
  })
}

const hex = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`).toString(16)

/** Strictly: every length in its shortest form, no number longer than it need be, nothing behind. */
function readDer(der: Uint8Array): readonly string[] {
  const bytes = Buffer.from(der)
  let at = 0
  const expectByte = (byte: number) => {
    if (bytes[at++] !== byte) throw new Error(`not ${byte} at ${at - 1}`)
  }
  const readLength = () => {
    const first = bytes[at++] ?? 0
    if (first < 0x80) return first
    if (first !== 0x81) throw new Error('length of a length')
    const length = bytes[at++] ?? 0
    if (length < 0x80) throw new Error('a length that is too long')
    return length
  }
  const readInteger = () => {
    expectByte(0x02)
    const length = readLength()
    const value = bytes.subarray(at, at + length)
    at += length
    if (value.length !== length || length === 0) throw new Error('too short')
    if ((value[0] ?? 0) > 0x7f) throw new Error('negative')
    if (length > 1 && value[0] === 0 && (value[1] ?? 0) < 0x80) throw new Error('not minimal')
    return hex(value)
  }
  expectByte(0x30)
  if (readLength() !== bytes.length - at) throw new Error('length of the sequence')
  const numbers = [readInteger(), readInteger()]
  if (at !== bytes.length) throw new Error('bytes behind')
  return numbers
}

t.test('the check and jose say the same of good and changed signatures', async (t) => {
  const keys = ['ES256', 'RS256', 'PS256', 'EdDSA'].map((alg) => createKey(alg))
  const header = base64url('{"alg":"ES256"}')
  for (const key of keys) {
    const check = createCheckSignature(key.alg, key.publicKey, 'pool')
    const parts = [base64url(JSON.stringify({ alg: key.alg })), base64url('{"sub":"a"}')]
    const good = Buffer.from(signerOf(key)(parts.join('.')))
    const property = fc.asyncProperty(
      fc.nat(good.length * 8 - 1),
      fc.constantFrom('none', 'flip', 'swap', 'other header'),
      async (bit, change) => {
        const signature = changed(good, bit, change)
        const [head, payload] = change === 'other header' ? [header, parts[1]] : parts
        const jws = {
          protected: head ?? '',
          payload: payload ?? '',
          signature: base64url(signature),
        }
        const wanted = await flattenedVerify(jws, key.publicKey, { algorithms: [key.alg] }).then(
          () => true,
          () => false,
        )
        return (await check(Buffer.from(`${head}.${payload}`), signature)) === wanted
      },
    )
    await fc.assert(property, { numRuns: 60 })
  }
  t.pass()
})

function changed(good: Buffer, bit: number, change: string): Buffer {
  const half = good.length / 2
  if (change === 'swap') return Buffer.concat([good.subarray(half), good.subarray(0, half)])
  if (change !== 'flip') return good
  const bytes = Buffer.from(good)
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes
}

t.test('signatures are checked on the loop where there is one processor alone', (t) => {
  t.equal(placeFor(1), 'loop')
  t.equal(placeFor(2), 'pool')
  t.equal(placeFor(64), 'pool')
  t.end()
})

t.test('the loop checks in its turn, and goes on while the pool checks', async (t) => {
  const { publicKey, privateKey } = createKey()
  const signature = sign('sha256', DATA, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
  const isGood = verify('sha256', DATA, { key, dsaEncoding: 'ieee-p1363' }, signature)
  const seen: string[] = []
  const ask = async (place: 'loop' | 'pool') =>
    seen.push(`${place}: ${await createCheckSignature('ES256', key, place)(DATA, signature)}`)
  // What follows runs among answers of the system, behind which immediates come next, and other answers later.
  await stat('.')
  const checks = [ask('pool'), ask('loop')]
  setImmediate(() => seen.push('the turn is over'))
  await Promise.all(checks)
  t.same(seen, [`loop: ${isGood}`, 'the turn is over', `pool: ${isGood}`])
})
