/** Keys printed in Pomerium's own documentation, with the names Pomerium gives them. */

/** The guide on JWT verification: its public key, as text copied from the page looks. */
export const GUIDE_PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----

MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+QmjfJCj/w9+9HkD5em9HdXQ3ubP

HHucN19M9rqGNOxJSFdwTx/hauY/qQRYdtaZgTJDQfRaT6CZObwRa9vMsg==

-----END PUBLIC KEY-----
`

/** Its private half, in base64 as Pomerium's signing_key takes it. Published, so good for tests alone. */
export const GUIDE_SIGNING_KEY =
  'LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVFSUVSNThaeDA2SHJXTW9PUTRaNjlMaDdMZUtFZW5TSmJZcHJvZ3V3TEl0blNvQW9HQ0NxR1NNNDkKQXdFSG9VUURRZ0FFK1FtamZKQ2ovdzkrOUhrRDVlbTlIZFhRM3ViUEhIdWNOMTlNOXJxR05PeEpTRmR3VHgvaAphdVkvcVFSWWR0YVpnVEpEUWZSYVQ2Q1pPYndSYTl2TXNnPT0KLS0tLS1FTkQgRUMgUFJJVkFURSBLRVktLS0tLQo='

export const GUIDE_KID = '419c6afa735b02932975cf8b713204b5fe7d174aa8fd981a5fc17b7e3506fbb8'

/** The reference on signed headers: its sample answer of the key set endpoint. */
export const REFERENCE_JWKS = {
  keys: [
    {
      use: 'sig',
      kty: 'EC',
      kid: 'ccc5bc9d835ff3c8f7075ed4a7510159cf440fd7bf7b517b5caeb1fa419ee6a1',
      crv: 'P-256',
      alg: 'ES256',
      x: 'QCN7adG2AmIK3UdHJvVJkldsUc6XeBRz83Z4rXX8Va4',
      y: 'PI95b-ary66nrvA55TpaiWADq8b3O1CYIbvjqIHpXCY',
    },
  ],
}
