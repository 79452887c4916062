import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import t from 'tap'
import { createSigningKey } from '../../src/demo/signing-key.ts'

// The example key of Pomerium's documentation, and the name Pomerium gives to it.
const POMERIUM_EXAMPLE =
  'LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVFSUVSNThaeDA2SHJXTW9PUTRaNjlMaDdMZUtFZW5TSmJZcHJvZ3V3TEl0blNvQW9HQ0NxR1NNNDkKQXdFSG9VUURRZ0FFK1FtamZKQ2ovdzkrOUhrRDVlbTlIZFhRM3ViUEhIdWNOMTlNOXJxR05PeEpTRmR3VHgvaAphdVkvcVFSWWR0YVpnVEpEUWZSYVQ2Q1pPYndSYTl2TXNnPT0KLS0tLS1FTkQgRUMgUFJJVkFURSBLRVktLS0tLQo='
const POMERIUM_EXAMPLE_KID = '419c6afa735b02932975cf8b713204b5fe7d174aa8fd981a5fc17b7e3506fbb8'

t.test("kid of a key in Pomerium's base64 form is the one Pomerium gives it", async (t) => {
  const key = await createSigningKey(POMERIUM_EXAMPLE)
  t.equal(key.kid, POMERIUM_EXAMPLE_KID)
})

t.test('a key can be given as plain PEM', async (t) => {
  const pem = Buffer.from(POMERIUM_EXAMPLE, 'base64').toString('utf8')
  t.equal((await createSigningKey(pem)).kid, POMERIUM_EXAMPLE_KID)
})

t.test('the key set holds the one public key and nothing of the private one', async (t) => {
  const { jwks, kid } = await createSigningKey(POMERIUM_EXAMPLE)
  t.equal(jwks.keys.length, 1)
  t.same(Object.keys(jwks.keys[0] ?? {}), ['use', 'kty', 'kid', 'crv', 'alg', 'x', 'y'])
  t.match(jwks.keys[0], { use: 'sig', kty: 'EC', crv: 'P-256', alg: 'ES256', kid })
})

t.test('sign gives a compact JWS with exactly alg, kid and typ in its header', async (t) => {
  const key = await createSigningKey()
  const token = await key.sign({ sub: 'someone' })
  const { payload, protectedHeader } = await compactVerify(
    token,
    await importJWK(key.jwks.keys[0] ?? {}, 'ES256'),
  )
  t.strictSame(protectedHeader, { alg: 'ES256', kid: key.kid, typ: 'JWT' })
  t.equal(Buffer.from(payload).toString('utf8'), '{"sub":"someone"}')
})

t.test('every new key is another key', async (t) => {
  t.not((await createSigningKey()).kid, (await createSigningKey()).kid)
})

t.test('what is no P-256 private key is refused', async (t) => {
  const pem = (curve: string) =>
    generateKeyPairSync('ec', { namedCurve: curve }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string
  await t.rejects(createSigningKey('not a key'), { name: 'TypeError' })
  await t.rejects(createSigningKey(pem('P-384')), {
    name: 'TypeError',
    message: 'The signing key must be an EC private key on the curve P-256',
  })
  const publicPem = createPublicKey(pem('P-256')).export({ type: 'spki', format: 'pem' }) as string
  await t.rejects(createSigningKey(publicPem), { name: 'TypeError' })
})
