import t from 'tap'
import { readStandInSettings } from '../../src/demo/stand-in-settings.ts'

const GOOD = {
  UNSAFE_STAND_IN_LISTEN: '0.0.0.0:8080',
  STAND_IN_ROUTES: 'a.localhost=http://gate-a:8000, b.localhost=http://gate-b:8000/',
}

t.test('address, routes and key are read', async (t) => {
  t.strictSame(readStandInSettings({ ...GOOD, SIGNING_KEY: 'pem' }), {
    listen: { host: '0.0.0.0', port: 8080 },
    routes: [
      { hosts: ['a.localhost'], upstream: new URL('http://gate-a:8000') },
      { hosts: ['b.localhost'], upstream: new URL('http://gate-b:8000') },
    ],
    signingKey: 'pem',
  })
  t.equal(readStandInSettings({ ...GOOD, SIGNING_KEY: '' }).signingKey, undefined)
})

t.test('without an address it does not start', async (t) => {
  for (const listen of [undefined, '', '8080', 'localhost:8080', '0.0.0.0:65536', '0.0.0.0:']) {
    t.throws(() => readStandInSettings({ ...GOOD, UNSAFE_STAND_IN_LISTEN: listen }), {
      message: /^UNSAFE_STAND_IN_LISTEN must be an address and a port/,
    })
  }
})

t.test('a route that is no host=http://host:port is refused', async (t) => {
  for (const routes of [
    undefined,
    '',
    'a',
    'a=https://gate',
    'a=http://gate/path',
    '=http://gate',
  ]) {
    t.throws(
      () => readStandInSettings({ ...GOOD, STAND_IN_ROUTES: routes }),
      { message: /^STAND_IN_ROUTES must be a list/ },
      `${routes}`,
    )
  }
})
