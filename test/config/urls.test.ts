import t from 'tap'
import { keySetUrl, route, upstreamAddress } from '../../src/config/urls.ts'
import { readKind, readsAs } from '../helpers/settings.ts'

const http = (hostname: string, port: number) => ({ protocol: 'http:', hostname, port }) as const

t.test('upstreamAddress is one origin', async (t) => {
  const refused = /^be one origin without user, path, query or fragment/
  readsAs(t, upstreamAddress, [
    ['http://app:3000', http('app', 3000)],
    ['http://app', http('app', 80)],
    ['http://app/', http('app', 80)],
    ['http://app:80', http('app', 80)],
    ['http://[::1]:3000', http('::1', 3000)],
    ['http://my_app:3000', http('my_app', 3000)],
    ['https://app', { protocol: 'https:', hostname: 'app', port: 443 }],
    ['https://app:8443', { protocol: 'https:', hostname: 'app', port: 8443 }],
    ['unix:/run/app.sock', { protocol: 'unix:', path: '/run/app.sock' }],
    [`unix:/${'a'.repeat(106)}`, { protocol: 'unix:', path: `/${'a'.repeat(106)}` }],
    [`unix:/${'a'.repeat(107)}`, /^be a socket path of at most 107 bytes$/],
    ...[
      'not a url',
      'app:3000',
      'ftp://x',
      'HTTP://app',
      'http:app',
      'http:/app',
      'http:///app',
      'http://',
      'http:\\\\app',
      'http://app\\x',
      'http://u:p@x',
      'http://u@x',
      'http://@x',
      'http://app/path',
      'http://app//',
      'http://app?',
      'http://app#',
      'http://app:0',
      'http://app:65536',
      'http://app:x',
      'http://app%2fx',
      'http://a b',
      'http://*',
      'http://*.app',
      'http://a..b',
      'http://[app]',
      'http://[::1',
      'http+unix://x',
      'unix:run/app.sock',
      'unix:///run/app.sock',
      'unix:/',
      'unix:',
    ].map((text) => [text, refused] as const),
  ])
})

t.test('route is the https URL of a host, maybe with a leading wildcard', async (t) => {
  const read = (text: string) => {
    const result = readKind(route, text)
    return 'must' in result ? result : [result.hostname, result.jwksUri?.href]
  }
  t.strictSame(read('https://App.Example.com'), [
    'app.example.com',
    'https://app.example.com/.well-known/pomerium/jwks.json',
  ])
  t.strictSame(read('https://app.example.com:8443/'), [
    'app.example.com',
    'https://app.example.com:8443/.well-known/pomerium/jwks.json',
  ])
  t.strictSame(read('https://*.example.com'), ['*.example.com', undefined])
  for (const text of [
    'app.example.com',
    'http://app.example.com',
    'tcp+https://app.example.com:22',
    'https://app.example.com/path',
    'https://app.example.com?x',
    'https://app.example.com#x',
    'https://ann@app.example.com',
    'https://*',
    'https://*.',
    'https://a.*.example.com',
    'https://*.*.example.com',
    'https://*app.example.com',
    'https://app.example.com:0',
    'https:app.example.com',
    '^https://app',
    'https://*.[::1]',
  ])
    t.match(read(text), { must: /^be the `from` URL of a Pomerium route/ }, text)
})

t.test('keySetUrl is an http or https URL without user and fragment', async (t) => {
  const read = (text: string) => {
    const result = readKind(keySetUrl, text)
    return result instanceof URL ? result.href : result
  }
  for (const text of [
    'https://a.example.com/.well-known/pomerium/jwks.json',
    'https://a.example.com/',
    'https://a.example.com:8443/x?y=z',
    'http://pomerium/jwks',
    'https://[::1]:1/x@y',
  ])
    t.equal(read(text), text)
  for (const text of [
    'x',
    'file:///x',
    'ftp://a/x',
    'data:application/json,{}',
    'https:a',
    'https:///x',
    'https://u:p@a/x',
    'https://a/x#y',
    'https://a/x y',
    'https://a\\x',
    'https://*.example.com/x',
    'https://a:0/x',
  ])
    t.match(read(text), { must: /^be an https URL without user and fragment/ }, text)
})
