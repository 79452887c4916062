import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { parseKeyFile } from '../../src/key-set/pem.ts'
import type { ParsedKeySet, VerificationKey } from '../../src/key-set/types.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { createKey, thumbprint } from '../helpers/keys.ts'
import { signerOf } from '../helpers/mint.ts'
import { GUIDE_KID, GUIDE_PUBLIC_KEY, GUIDE_SIGNING_KEY, REFERENCE_JWKS } from './known-keys.ts'

function only(set: ParsedKeySet): VerificationKey {
  if (set.kind !== 'keys' || set.keys.length !== 1) throw new Error(JSON.stringify(set))
  return set.keys[0] as VerificationKey
}

async function verifies({ check }: VerificationKey, pair: ReturnType<typeof createKey>) {
  const input = 'header.payload'
  return check(Buffer.from(input), signerOf(pair)(input))
}

const pemOf = (key: ReturnType<typeof createKey>) =>
  key.publicKey.export({ type: 'spki', format: 'pem' }).toString()

t.test('reads the public key of Pomerium’s guide and verifies with its private half', async (t) => {
  const privateKey = createPrivateKey(Buffer.from(GUIDE_SIGNING_KEY, 'base64'))
  const key = only(await parseKeyFile(GUIDE_PUBLIC_KEY, ['ES256']))
  t.match(key, { kid: undefined, alg: 'ES256' })
  t.ok(await verifies(key, { ...createKey(), privateKey }))
  t.notOk(await verifies(key, createKey()))
  t.equal(
    thumbprint(createPrivateKey(privateKey.export({ type: 'sec1', format: 'pem' }))),
    GUIDE_KID,
  )
})

t.test('reads the key of a certificate, whatever its dates', async (t) => {
  const { cert, key } = createAuthority().issue({ names: ['a'], days: -1 })
  const pair = { ...createKey(), privateKey: createPrivateKey(key) }
  t.ok(await verifies(only(await parseKeyFile(cert, ['ES256'])), pair))
})

t.test('reads a JWK Set', async (t) => {
  const key = only(await parseKeyFile(JSON.stringify(REFERENCE_JWKS), ['ES256']))
  t.equal(key.kid, REFERENCE_JWKS.keys[0]?.kid)
})

t.test('reads several public keys, as in a rotation, with text around and CRLF', async (t) => {
  const text = `old:\n${pemOf(createKey())}new:\n${pemOf(createKey())}`.replaceAll('\n', '\r\n')
  const set = await parseKeyFile(text, ['ES256'])
  t.equal(set.kind === 'keys' ? set.keys.length : set.kind, 2)
})

t.test('reads an RSA key, as SPKI and as PKCS#1, for every algorithm it fits', async (t) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  for (const type of ['spki', 'pkcs1'] as const) {
    const set = await parseKeyFile(publicKey.export({ type, format: 'pem' }).toString(), [
      'RS256',
      'PS256',
    ])
    t.same(set.kind === 'keys' && set.keys.map(({ alg }) => alg), ['RS256', 'PS256'], type)
  }
})

const pair = createKey()
const { cert } = createAuthority().issue({ names: ['a'] })
const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const sec1 = pair.privateKey.export({ type: 'sec1', format: 'pem' }).toString()

for (const [name, text, reason] of [
  ['a private key', pkcs8, 'holds a private key: give the public key alone'],
  ['an EC private key', sec1, 'holds a private key: give the public key alone'],
  [
    'a public key with its private key',
    pemOf(pair) + sec1,
    'holds a private key: give the public key alone',
  ],
  [
    'a chain of certificates',
    cert + cert,
    'holds several certificates: keep the one of the signing key',
  ],
  [
    'another PEM text',
    '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n',
    'holds something that is neither a public key nor a certificate',
  ],
  ['a cut PEM text', pemOf(pair).slice(0, 90), 'is damaged'],
  ['101 keys', pemOf(pair).repeat(101), 'holds more than 100 keys'],
] as const) {
  t.test(`refuses ${name}`, async (t) => {
    const expected = { kind: 'not-a-key-set', reason: `the PEM text ${reason}` }
    t.same(await parseKeyFile(text, ['ES256']), expected)
  })
}

t.test('says of keys that cannot be used why', async (t) => {
  const ed = pemOf(createKey('EdDSA'))
  const x25519 = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' })
  const broken = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'
  t.same(await parseKeyFile(`${ed}${x25519}${broken}`, ['ES256']), {
    kind: 'no-fitting-key',
    reason:
      'no key of the set can be used for ES256: key 1 fits none of the allowed algorithms; key 2 fits none of the allowed algorithms; key 3 is damaged or of a kind that signs no assertions',
  })
})
