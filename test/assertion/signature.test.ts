import t from 'tap'
import { parseCompact } from '../../src/assertion/compact.ts'
import { MAX_KEYS_TRIED, verifySignature } from '../../src/assertion/signature.ts'
import { createKey, type MemoryKeySet, memoryKeySet, verificationKey } from '../helpers/keys.ts'
import { base64url, hmacSigner, mint, partsOf, seal } from '../helpers/mint.ts'

const good = createKey('ES256', 'k1')
const other = createKey('ES256', 'k2')
const goodKey = await verificationKey(good)
const otherKey = await verificationKey(other)
const ALL = ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA']

const run = (token: string, keySet: MemoryKeySet, algorithms: readonly string[] = ['ES256']) =>
  verifySignature(parseCompact(token), { keySet, algorithms })

t.test('verifySignature() gives the signed bytes, the algorithm and the key ID', async (t) => {
  const token = mint({ key: good })
  const keySet = memoryKeySet([otherKey, goodKey])
  const { payload, alg, kid } = await run(token, keySet)
  t.equal(base64url(payload), partsOf(token)[1])
  t.equal(alg, 'ES256')
  t.equal(kid, 'k1')
  t.equal(keySet.refreshes(), 0)
})

for (const alg of ALL) {
  t.test(`verifySignature() takes ${alg} where it is allowed, and not elsewhere`, async (t) => {
    const key = createKey(alg)
    const keySet = memoryKeySet([await verificationKey(key)])
    t.equal((await run(mint({ key }), keySet, [alg])).alg, alg)
    const others = ALL.filter((name) => name !== alg)
    await t.rejects(run(mint({ key }), keySet, others), { code: 'ERR_ASSERTION_ALGORITHM' })
  })
}

for (const alg of [
  'none',
  'HS256',
  'es256',
  'ES256 ',
  '',
  'toString',
  256,
  null,
  ['ES256'],
  undefined,
]) {
  t.test(
    `verifySignature() refuses the algorithm ${JSON.stringify(alg)} before any key`,
    async (t) => {
      const keySet = memoryKeySet(undefined)
      await t.rejects(run(mint({ key: good, header: { alg } }), keySet), {
        code: 'ERR_ASSERTION_ALGORITHM',
      })
      t.equal(keySet.lookups(), 0)
    },
  )
}

t.test('verifySignature() refuses the public key as a shared secret', async (t) => {
  const header = base64url('{"alg":"HS256","kid":"k1"}')
  const pem = String(good.publicKey.export({ type: 'spki', format: 'pem' }))
  const token = seal(header, base64url('{}'), hmacSigner('HS256', pem))
  await t.rejects(run(token, memoryKeySet([goodKey])), { code: 'ERR_ASSERTION_ALGORITHM' })
})

const extensions = [
  { crit: ['exp'] },
  { crit: [] },
  { crit: null },
  { b64: true },
  { b64: false, crit: ['b64'] },
  { zip: 'DEF' },
]
for (const header of extensions) {
  t.test(`verifySignature() refuses ${JSON.stringify(header)} before any key`, async (t) => {
    const keySet = memoryKeySet([goodKey])
    await t.rejects(run(mint({ key: good, header }), keySet), { code: 'ERR_ASSERTION_CRITICAL' })
    t.equal(keySet.lookups(), 0)
  })
}

for (const kid of [null, 1, ['k1'], { kid: 'k1' }, true]) {
  t.test(
    `verifySignature() refuses the key ID ${JSON.stringify(kid)} without a refresh`,
    async (t) => {
      const keySet = memoryKeySet([goodKey])
      await t.rejects(run(mint({ key: good, header: { kid } }), keySet), {
        code: 'ERR_ASSERTION_KEY_UNKNOWN',
        status: 401,
      })
      t.equal(keySet.lookups(), 0)
      t.equal(keySet.refreshes(), 0)
    },
  )
}

for (const kid of ['k9', 'K1', 'k1 ', '', '__proto__', '../k1']) {
  t.test(
    `verifySignature() asks for one refresh for the key ID ${JSON.stringify(kid)}`,
    async (t) => {
      const keySet = memoryKeySet([goodKey])
      await t.rejects(run(mint({ key: good, header: { kid } }), keySet), {
        code: 'ERR_ASSERTION_KEY_UNKNOWN',
      })
      t.equal(keySet.refreshes(), 1)
    },
  )
}

t.test('verifySignature() finds the key that a refresh brings', async (t) => {
  const keySet = memoryKeySet([goodKey])
  keySet.publish([goodKey, otherKey])
  t.equal((await run(mint({ key: other }), keySet)).kid, 'k2')
  t.equal(keySet.refreshes(), 1)
})

t.test('verifySignature() answers 503 without a usable key set', async (t) => {
  const keySet = memoryKeySet(undefined)
  await t.rejects(run(mint({ key: good }), keySet), {
    code: 'ERR_KEY_SET_UNAVAILABLE',
    status: 503,
  })
  t.equal(keySet.refreshes(), 0)
})

t.test('verifySignature() answers 503 when the refresh leaves no usable key set', async (t) => {
  const keySet = memoryKeySet([])
  keySet.publish(undefined)
  await t.rejects(run(mint({ key: good }), keySet), {
    code: 'ERR_KEY_SET_UNAVAILABLE',
    status: 503,
  })
})

t.test('verifySignature() tries every fitting key for an assertion that names none', async (t) => {
  const token = mint({ key: good, header: { kid: undefined } })
  const p384 = await verificationKey(createKey('ES384'))
  const { kid } = await run(token, memoryKeySet([p384, otherKey, goodKey]))
  t.equal(kid, undefined)
  const none = memoryKeySet([p384])
  await t.rejects(run(token, none), { code: 'ERR_ASSERTION_KEY_UNKNOWN' })
  t.equal(none.refreshes(), 1)
})

t.test('verifySignature() tries every key of the same name', async (t) => {
  const twin = { ...otherKey, kid: 'k1' }
  t.equal((await run(mint({ key: good }), memoryKeySet([twin, goodKey]))).kid, 'k1')
})

t.test(`verifySignature() tries ${MAX_KEYS_TRIED} keys and no more`, async (t) => {
  const token = mint({ key: good, header: { kid: undefined } })
  const strangers = (count: number) => Array.from({ length: count }, () => otherKey)
  const last = memoryKeySet([...strangers(MAX_KEYS_TRIED - 1), goodKey])
  t.equal((await run(token, last)).alg, 'ES256')
  const beyond = memoryKeySet([...strangers(MAX_KEYS_TRIED), goodKey])
  await t.rejects(run(token, beyond), { code: 'ERR_ASSERTION_SIGNATURE' })
})

t.test('verifySignature() does not use a key for another key ID', async (t) => {
  const token = mint({ key: good, header: { kid: 'k2' } })
  await t.rejects(run(token, memoryKeySet([goodKey, otherKey])), {
    code: 'ERR_ASSERTION_SIGNATURE',
  })
})

const [header, payload, signature] = partsOf(mint({ key: good }))
const forged: readonly (readonly [string, string])[] = [
  ['no signature', `${header}.${payload}.`],
  [
    'a short signature',
    `${header}.${payload}.${base64url(Buffer.from(signature, 'base64url').subarray(0, 63))}`,
  ],
  ['a zero signature', `${header}.${payload}.${base64url(Buffer.alloc(64))}`],
  ['another payload', `${header}.${base64url('{"sub":"root"}')}.${signature}`],
  ['another header', `${base64url('{"alg":"ES256","kid":"k1" }')}.${payload}.${signature}`],
  [
    'the key in its own header',
    mint({ key: other, header: { kid: 'k1', jwk: other.publicKey.export({ format: 'jwk' }) } }),
  ],
]
for (const [what, token] of forged) {
  t.test(`verifySignature() refuses ${what}`, async (t) => {
    const keySet = memoryKeySet([goodKey])
    await t.rejects(run(token, keySet), { code: 'ERR_ASSERTION_SIGNATURE', status: 401 })
    t.equal(keySet.refreshes(), 0)
  })
}

t.test('verifySignature() lets no error of a key that does not fit out', async (t) => {
  const misnamed = { ...(await verificationKey(createKey('ES384'))), alg: 'ES256', kid: 'k1' }
  const throws = () => {
    throw new TypeError('key')
  }
  const broken = { ...misnamed, check: throws }
  const rejecting = { ...misnamed, check: async () => throws() }
  // What is not exactly true vouches for nothing.
  const odd = { ...misnamed, check: () => 'yes' as unknown as boolean }
  const token = mint({ key: good })
  for (const key of [misnamed, broken, rejecting, odd]) {
    const error = await run(token, memoryKeySet([key])).catch((error: unknown) => error)
    t.match(error, { name: 'RejectedError', code: 'ERR_ASSERTION_SIGNATURE' })
    t.equal((error as Error).cause, undefined)
    t.equal((await run(token, memoryKeySet([key, goodKey]))).alg, 'ES256')
  }
})
