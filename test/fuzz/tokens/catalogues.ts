import { HOST, NOW } from '../../helpers/mint.ts'
import type { Catalogue } from './json-text.ts'

const HOSTS = [
  HOST,
  `https://${HOST}/`,
  `https://${HOST}`,
  `http://${HOST}/`,
  HOST.toUpperCase(),
  `${HOST}.`,
  `${HOST}/`,
  ` ${HOST}`,
  `${HOST} `,
  `${HOST},other`,
  `other.${HOST}`,
  `x${HOST}`,
  `${HOST}.evil.test`,
  'second.example.com',
  'app.example.org',
  'a.b.example.com',
  'example.com',
  '.example.com',
  'a..example.com',
  '*.example.com',
  'a b.example.com',
  'a\u0000.example.com',
  'а.example.com',
  'a/.example.com',
  'https://a.example.com/',
  'https://.example.com/',
  'https://example.com/',
  'https://evil.test/.example.com/',
  'https://a.example.com/?',
]

const NAMES = HOSTS.map((host) => JSON.stringify(host))
const LISTS = [
  ...HOSTS.map((host) => JSON.stringify([host])),
  ...HOSTS.map((host) => JSON.stringify(['other', host])),
  `["${HOST}",1]`,
  `[1,"${HOST}"]`,
  `["${HOST}",null]`,
  `[["${HOST}"]]`,
  `{"0":"${HOST}"}`,
  `["a","b","c"]`,
]

const SPANS = [0, 0.5, 1, 1.5, 30, 59, 60, 61, 299, 300, 600, 601, 631.5, 660, 661, 86_400]
const DATES = [
  ...SPANS.flatMap((span) => [NOW + span, NOW - span].map(String)),
  ...SPANS.map((span) => JSON.stringify(String(NOW + span))),
  '253402300799',
  '253402300799.5',
  '253402300800',
  '1e15',
  '-0',
  '-1e300',
  '1.8e9',
  '18E8',
  '1.80000003e+9',
  `${NOW}000`,
  `[${NOW}]`,
  `{"seconds":${NOW}}`,
]

export const CLAIMS: Catalogue = {
  iss: [...NAMES, ...LISTS.slice(0, 8)],
  aud: [...NAMES, ...LISTS],
  exp: DATES,
  iat: DATES,
  nbf: DATES,
  sub: [
    '""',
    '"0"',
    '" "',
    '"user-2"',
    '"a\\nb"',
    '["user-1"]',
    '{"id":"user-1"}',
    '1',
    '"\\u00e9"',
  ],
  email: ['"eve@example.com"', '["a","b"]'],
  groups: ['["admins"]', '"admins"', '[1,2]', '{"a":["b"]}'],
  jti: ['"again"', '1'],
}

/** Values of header members; `kid` has the names of the keys. */
export const HEADERS: Catalogue = {
  alg: [
    ...['none', 'None', 'nOnE', '', 'HS256', 'HS384', 'HS512', 'RS256', 'RS512', 'PS256', 'ES384'],
    ...['ES512', 'ES256K', 'EdDSA', 'Ed25519', 'es256', ' ES256', 'ES256 ', 'ES256\u0000', 'dir'],
    ...['ES256', 'ES256', 'ES256'],
  ]
    .map((name) => JSON.stringify(name))
    .concat('["ES256"]', '{"ES256":1}'),
  kid: [
    ...[
      'first',
      'second',
      'twin',
      'wide',
      'edwards',
      'rsa',
      'pss',
      'First',
      'first ',
      ' first',
      'stranger',
    ],
    ...['', '../../dev/null', "first' OR '1'='1", 'first\u0000', 'first\r\nX: y', '__proto__'],
    ...['constructor', 'k'.repeat(300)],
  ]
    .map((name) => JSON.stringify(name))
    .concat('["first"]', '{"kid":"first"}'),
  typ: ['"JWT"', '"jwt"', '"at+jwt"', '"JOSE+JSON"', '"JWE"'],
  crit: ['["exp"]', '["b64"]', '["kid"]', '[]', '"exp"'],
  b64: ['true', 'false'],
  zip: ['"DEF"'],
  cty: ['"JWT"'],
  jwk: ['{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}', '{"kty":"oct","k":"AA"}'],
  jku: ['"http://127.0.0.1:1/jwks"'],
  x5u: ['"http://127.0.0.1:1/cert"'],
  x5c: ['["AA"]'],
  x5t: ['"AA"'],
  enc: ['"A256GCM"'],
  pad: [JSON.stringify('p'.repeat(8_000)), JSON.stringify('p'.repeat(5_900))],
}
