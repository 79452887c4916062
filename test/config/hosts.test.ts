import t from 'tap'
import {
  dialAddress,
  isAny,
  isHostName,
  isLoopback,
  isSingleLabel,
  listenAddress,
  serverName,
} from '../../src/config/hosts.ts'
import { readsAs } from '../helpers/settings.ts'

const REFUSED = /^be host:port such as 127\.0\.0\.1:8000 or \[::1\]:8000$/

t.test('listenAddress is host:port', async (t) => {
  readsAs(t, listenAddress, [
    ['0.0.0.0:8000', { host: '0.0.0.0', port: 8000 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:8000', { host: '::1', port: 8000 }],
    ['[::]:65535', { host: '::', port: 65_535 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
    ['my_app-1.internal:80', { host: 'my_app-1.internal', port: 80 }],
    ...[
      '8000',
      ':8000',
      '0.0.0.0',
      '0.0.0.0:',
      '0.0.0.0:http',
      '0.0.0.0:0x50',
      '0.0.0.0:65536',
      '0.0.0.0:080',
      '0.0.0.0:-1',
      '0.0.0.0:8000:1',
      '::1:8000',
      '[::1]',
      '[::1:8000',
      '[127.0.0.1]:80',
      '[fe80::1%eth0%]:80 ',
      '256.0.0.1:80',
      '1.2.3:80',
      '0x7f.1:80',
      'a..b:80',
      'a b:80',
      'http://a:80',
      'a/b:80',
      `${'a'.repeat(64)}:80`,
      'off',
    ].map((text) => [text, text.endsWith(' ') ? /white space/ : REFUSED] as const),
  ])
})

t.test('dialAddress needs a port other than 0', async (t) => {
  readsAs(t, dialAddress, [
    ['pomerium:443', { host: 'pomerium', port: 443 }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['pomerium:0', /^be host:port such as pomerium:443$/],
    ['pomerium', /^be host:port/],
  ])
})

t.test('serverName is a name, not an address', async (t) => {
  readsAs(t, serverName, [
    ['app.internal', 'app.internal'],
    ['127.0.0.1', /^be a host name/],
    ['::1', /^be a host name/],
    ['app:443', /^be a host name/],
    ['*.app', /^be a host name/],
  ])
})

t.test('hosts are told apart', async (t) => {
  for (const host of ['localhost', '::1', '127.0.0.1', '127.255.0.9']) t.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '127.a', '127.0.0.1.example.com', '10.0.0.1', 'localhost.x'])
    t.notOk(isLoopback(host), host)
  t.ok(isAny('0.0.0.0') && isAny('::'))
  t.notOk(isAny('127.0.0.1'))
  t.ok(isSingleLabel('pomerium') && isSingleLabel('my_pomerium-1'))
  t.notOk(isSingleLabel('a.b') || isSingleLabel('::1') || isSingleLabel(''))
  t.ok(isHostName('a'.repeat(63)))
  t.notOk(isHostName(`${'a.'.repeat(127)}`))
})
