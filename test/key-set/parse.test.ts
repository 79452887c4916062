import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { parseJwkSet } from '../../src/key-set/parse.ts'
import type { ParsedKeySet } from '../../src/key-set/types.ts'
import { createKey, publicJwk, thumbprint } from '../helpers/keys.ts'
import { REFERENCE_JWKS } from './known-keys.ts'

const ec = publicJwk(createKey('ES256', 'ec'))
const rsa = publicJwk(createKey('RS256', 'rsa'))
const ed = publicJwk(createKey('EdDSA', 'ed'))

function parse(keys: unknown, algorithms: readonly string[] = ['ES256']): Promise<ParsedKeySet> {
  return parseJwkSet(JSON.stringify({ keys }), algorithms)
}

/** `kid/alg` of each key. */
function namesOf(set: ParsedKeySet): readonly string[] {
  return set.kind === 'keys' ? set.keys.map(({ kid, alg }) => `${kid}/${alg}`) : [set.kind]
}

t.test('reads the key that Pomerium’s reference prints, named by its thumbprint', async (t) => {
  const set = await parseJwkSet(JSON.stringify(REFERENCE_JWKS), ['ES256'])
  t.match(set, { kind: 'keys', notes: [] })
  t.same(namesOf(set), [`${REFERENCE_JWKS.keys[0]?.kid}/ES256`])
})

for (const text of ['{"keys":null}', '{"keys":[]}', ' {"keys": [ ] }\n']) {
  t.test(`${JSON.stringify(text)} means that Pomerium has no signing key`, async (t) => {
    t.same(await parseJwkSet(text, ['ES256']), {
      kind: 'no-signing-key',
      reason: 'Pomerium has no signing key: its key set is empty (set signing_key in Pomerium)',
    })
  })
}

for (const [text, reason] of [
  ['', 'is an empty text'],
  [' \n', 'is an empty text'],
  ['<!DOCTYPE html><title>Sign in</title>', 'is an HTML page'],
  ['\n <html>', 'is an HTML page'],
  ['sign in, please', 'is not JSON'],
  ['['.repeat(10_000), 'is not JSON'],
  ['{"keys":'.repeat(50_000), 'is not JSON'],
  ['[]', 'is not a JSON object'],
  [`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'is not a JSON object'],
  ['null', 'is not a JSON object'],
  ['"keys"', 'is not a JSON object'],
  ['{}', 'has no list named keys'],
  ['{"keys":{}}', 'has no list named keys'],
  ['{"keys":"x"}', 'has no list named keys'],
  ['{"__proto__":{"keys":[]}}', 'has no list named keys'],
  [JSON.stringify(ec), 'is a single JWK: put it in {"keys": […]}'],
  [JSON.stringify({ keys: Array(101).fill(ec) }), 'holds more than 100 keys'],
] as const) {
  t.test(`refuses ${JSON.stringify(text.slice(0, 40))}: ${reason}`, async (t) => {
    const expected = { kind: 'not-a-key-set', reason: `the key set ${reason}` }
    t.same(await parseJwkSet(text, ['ES256']), expected)
  })
}

t.test('a hundred keys are read', async (t) => {
  t.equal(namesOf(await parse(Array(100).fill(ec))).length, 100)
})

t.test('odd members are left out with a note and do not take the good key with them', async (t) => {
  const bad = Buffer.from(String(ec.y), 'base64url')
  bad.writeUInt8(bad.readUInt8(31) ^ 1, 31)
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'is not an object'],
    [5, 'is not an object'],
    ['x', 'is not an object'],
    [[ec], 'is not an object'],
    [{}, 'fits none of the allowed algorithms'],
    [{ kty: 'oct', k: 'AAAA', alg: 'HS256' }, 'is a shared secret, which is never loaded'],
    [{ ...ec, kty: 'oct' }, 'is a shared secret, which is never loaded'],
    [{ ...ec, k: 'AAAA' }, 'is published together with its private half: replace that signing key'],
    [{ ...ec, d: 'AAAA' }, 'is published together with its private half: replace that signing key'],
    [{ ...rsa, p: 'A' }, 'is published together with its private half: replace that signing key'],
    [{ ...ec, use: 'enc' }, 'is not for signatures (use)'],
    [{ ...ec, use: 5 }, 'is not for signatures (use)'],
    [{ ...ec, key_ops: ['sign'] }, 'is not for verifying (key_ops)'],
    [{ ...ec, key_ops: 'verify' }, 'is not for verifying (key_ops)'],
    [{ ...ec, kid: 5 }, 'has a kid that is no string'],
    [
      { ...ec, kty: 'AKP' },
      'is for ES256, which is not allowed (algorithms) or does not fit its type',
    ],
    [
      { ...ec, kty: 'RSA' },
      'is for ES256, which is not allowed (algorithms) or does not fit its type',
    ],
    [
      { ...ec, alg: 'ES384' },
      'is for ES384, which is not allowed (algorithms) or does not fit its type',
    ],
    [{ ...ec, alg: 'HS256' }, 'is for an algorithm that is never allowed'],
    [{ ...ec, alg: 'none' }, 'is for an algorithm that is never allowed'],
    [{ ...ec, alg: ['ES256'] }, 'is for an algorithm that is never allowed'],
    [
      { ...ec, crv: 'secp256k1' },
      'is for ES256, which is not allowed (algorithms) or does not fit its type',
    ],
    [{ ...ec, y: bad.toString('base64url') }, 'is damaged'],
    [{ ...ec, x: ec.y, y: ec.x }, 'is damaged'],
    [{ ...ec, x: `${ec.x}=` }, 'is damaged'],
    [{ ...ec, x: `${ec.x}AAAA` }, 'is damaged'],
    [{ ...ec, x: 5 }, 'is damaged'],
    [{ ...ec, y: undefined }, 'is damaged'],
    [{ ...rsa, n: undefined }, 'is damaged'],
    [
      { ...small.export({ format: 'jwk' }), alg: 'RS256' },
      'is an RSA key that is too weak (want 2048 bits)',
    ],
    [{ ...rsa, e: 'AQ' }, 'is an RSA key that is too weak (want 2048 bits)'],
    [{ ...rsa, n: '' }, 'is damaged'],
  ]
  for (const [member, why] of cases) {
    const set = await parse([member, ec], ['ES256', 'RS256'])
    t.same(namesOf(set), ['ec/ES256'], JSON.stringify(member)?.slice(0, 60))
    t.match(set, { notes: [`key 1 ${why}`] })
  }
})

t.test('notes and reasons quote nothing of the set', async (t) => {
  const odd = { ...ec, kid: 'SECRET', alg: 'SECRET', use: 'SECRET', crv: 'SECRET', kty: 'SECRET' }
  const members = [odd, { ...odd, use: 'sig' }, { ...odd, use: 'sig', alg: 'ES256' }]
  t.notMatch(JSON.stringify(await parse(members)), /SECRET/)
})

t.test('a set with keys of which none fits says which were wanted and why', async (t) => {
  t.same(await parse([rsa, { kty: 'oct' }]), {
    kind: 'no-fitting-key',
    reason:
      'no key of the set can be used for ES256: key 1 is for RS256, which is not allowed (algorithms) or does not fit its type; key 2 is a shared secret, which is never loaded',
  })
})

t.test('every kind of key is read for the algorithms it fits', async (t) => {
  const algorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA']
  const keys = algorithms.map((alg) => publicJwk(createKey(alg, `k-${alg}`)))
  t.same(
    namesOf(await parse(keys, algorithms)),
    algorithms.map((alg) => `k-${alg}/${alg}`),
  )
})

t.test('a key without alg is read once for each allowed algorithm that fits it', async (t) => {
  const algorithms = ['ES256', 'RS256', 'PS512', 'EdDSA']
  const bare = [rsa, ec, ed].map((key) => ({ ...key, alg: undefined }))
  t.same(namesOf(await parse(bare, algorithms)), ['rsa/RS256', 'rsa/PS512', 'ec/ES256', 'ed/EdDSA'])
  t.same(namesOf(await parse([rsa], algorithms)), ['rsa/RS256'])
})

t.test(
  'an algorithm that no key may have is never used, even when it is on the list',
  async (t) => {
    t.equal(
      (await parse([{ kty: 'oct', k: 'AAAA', alg: 'HS256' }], ['HS256', 'none'])).kind,
      'no-fitting-key',
    )
    t.equal((await parse([{ ...ec, alg: undefined }], ['HS256', 'none'])).kind, 'no-fitting-key')
  },
)

t.test('two keys that share a kid are both kept, with a note', async (t) => {
  const other = publicJwk(createKey('ES256', 'ec'))
  const set = await parse([ec, other])
  t.same(namesOf(set), ['ec/ES256', 'ec/ES256'])
  t.match(set, { notes: ['two keys share a kid: both are tried'] })
})

t.test('one kid on keys of two kinds is no ambiguity', async (t) => {
  const set = await parse([ec, { ...rsa, kid: 'ec' }], ['ES256', 'RS256'])
  t.same(namesOf(set), ['ec/ES256', 'ec/RS256'])
  t.match(set, { notes: [] })
})

t.test('of two lists named keys the last counts', async (t) => {
  const set = await parseJwkSet(`{"keys":[],"keys":[${JSON.stringify(ec)}]}`, ['ES256'])
  t.same(namesOf(set), ['ec/ES256'])
})

t.test('a kid may be empty or absent', async (t) => {
  t.same(namesOf(await parse([{ ...ec, kid: '' }])), ['/ES256'])
  t.same(namesOf(await parse([{ ...ec, kid: undefined }])), ['undefined/ES256'])
})

t.test('the name Pomerium gives a key is its thumbprint', async (t) => {
  const key = createKey('ES256')
  t.same(namesOf(await parse([publicJwk(key)])), [`${thumbprint(key.publicKey)}/ES256`])
})
