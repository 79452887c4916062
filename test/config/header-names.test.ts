import t from 'tap'
import { assertionHeader, identityHeaderFault } from '../../src/config/header-names.ts'
import { readsAs } from '../helpers/settings.ts'

const FRAMES = /^not name a header that frames, routes or secures a request$/

t.test('identityHeaderFault() lets the names of apps pass', async (t) => {
  for (const name of [
    'X-WEBAUTH-USER',
    'X-Pomerium-Claim-Email',
    'Remote-User',
    'X-Forwarded-User',
    'X-Forwarded-Preferred-Username',
    'x-proxy-user',
    'X_User',
    'From',
  ])
    t.equal(identityHeaderFault(name), undefined, name)
})

t.test(
  'identityHeaderFault() refuses headers that mean something else, in any spelling',
  async (t) => {
    for (const name of [
      'Host',
      'host',
      'Content-Length',
      'content_length',
      'Connection',
      'Transfer-Encoding',
      'Transfer.Encoding',
      'TE',
      'Trailer',
      'Upgrade',
      'Keep-Alive',
      'Expect',
      'Proxy-Authorization',
      'Proxy-Connection',
      'Proxy_Anything',
      'Cookie',
      'Authorization',
      'Content-Type',
      'Forwarded',
      'Via',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'Sec-WebSocket-Key',
      'Origin',
    ])
      t.match(identityHeaderFault(name), FRAMES, name)
  },
)

t.test('identityHeaderFault() refuses where assertions are', async (t) => {
  for (const name of [
    'X-Pomerium-Jwt-Assertion',
    'x_pomerium_jwt_assertion',
    'X-Pomerium-Jwt-Assertion-For',
  ])
    t.equal(identityHeaderFault(name), 'not put a claim where assertions are', name)
})

t.test('identityHeaderFault() refuses what is no header name', async (t) => {
  for (const name of ['', 'X:Y', 'X\r\nY', 'X Y', 'X\tY', 'Xä', '--', '_', 'X/Y', 'a'.repeat(129)])
    t.equal(identityHeaderFault(name), 'use header names of letters, digits and -', name)
})

t.test('assertionHeader may be any of these or Authorization', async (t) => {
  readsAs(t, assertionHeader, [
    ['X-Pomerium-Jwt-Assertion', 'X-Pomerium-Jwt-Assertion'],
    ['Authorization', 'Authorization'],
    ['X-Goog-Iap-Jwt-Assertion', 'X-Goog-Iap-Jwt-Assertion'],
    ['Host', FRAMES],
    ['Cookie', FRAMES],
    ['X:Y', /^use header names/],
  ])
})
