import t from 'tap'
import { algorithm, exactName, exactPath, plainPath } from '../../src/config/names.ts'
import { readsAs } from '../helpers/settings.ts'

t.test('exactName takes any name and a leading wildcard', async (t) => {
  for (const name of [
    'pomerium-proxy',
    'app.example.com',
    'auth.example.com:8443',
    'https://app.example.com/',
    '*.example.com',
    'https://*.example.com/',
    'urn:x:y',
  ])
    readsAs(t, exactName, [[name, name]])
  const refused = /a wildcard can only lead it/
  readsAs(t, exactName, [
    ['*', refused],
    ['*.', refused],
    ['*..com', refused],
    ['a.*.com', refused],
    ['*.*.com', refused],
    ['*example.com', refused],
    ['http://*.example.com', refused],
    ['a b', /^hold no white space$/],
    ['', /^have a value/],
  ])
})

t.test('algorithm is one with a public key', async (t) => {
  for (const name of 'ES256 ES384 ES512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA'.split(' '))
    readsAs(t, algorithm, [[name, name]])
  readsAs(t, algorithm, [
    ['HS256', /^be asymmetric: with HMAC everybody who can verify can also sign$/],
    ['hs512', /^be asymmetric/],
    ['none', /^be a signature algorithm: with none everybody could sign$/],
    ['NONE', /^be a signature algorithm/],
    ['es256', /^be one of: ES256 ES384/],
    ['ES256K', /^be one of/],
    ['RSA-OAEP', /^be one of/],
  ])
})

t.test('exactPath is one path that no server reads as another', async (t) => {
  for (const path of [
    '/healthz',
    '/a/b',
    '/a/',
    '/.well-known/x',
    '/caf%C3%A9',
    '/a.b..c',
    '/@x:1',
  ])
    readsAs(t, exactPath, [[path, path]])
  for (const path of [
    '/',
    '/*',
    '/public/*',
    '//',
    '/a//b',
    '/public/..',
    '/../x',
    '/.',
    '/a/./b',
    '/a/%2e%2e/b',
    '/a%2Fb',
    '/a%5cb',
    '/a%00',
    '/a%',
    '/a%zz',
    '/a\\b',
    '/a;b',
    '/a?b',
    '/a#b',
    '/a b',
    '/ä',
    'a',
    'http://a/b',
  ])
    readsAs(t, exactPath, [[path, /^be one exact path such as \/healthz/]])
  readsAs(t, exactPath, [['', /^have a value/]])
})

t.test('plainPath is an absolute path of unreserved characters', async (t) => {
  readsAs(t, plainPath, [
    ['/.claimgate', '/.claimgate'],
    ['/a/b-c_d~e.f', '/a/b-c_d~e.f'],
    ...['/', '/a/', '//a', '/a/..', '/./a', '/a%20', '/a:b', '/a?b', 'a', '/ä', '/a*'].map(
      (path) => [path, /^be an absolute path of letters/] as const,
    ),
  ])
})
