import t from 'tap'
import { listenTarget } from '../../src/config/listen.ts'
import { readsAs } from '../helpers/settings.ts'

const REFUSED = /^be host:port, or unix:\/path with at most 107 bytes$/

t.test('listenTarget is host:port, or the path of a Unix socket', async (t) => {
  readsAs(t, listenTarget, [
    ['0.0.0.0:8000', { host: '0.0.0.0', port: 8000 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['unix:/run/claimgate/data.sock', { path: '/run/claimgate/data.sock' }],
    [`unix:/${'a'.repeat(106)}`, { path: `/${'a'.repeat(106)}` }],
    [`unix:/${'a'.repeat(107)}`, REFUSED],
    ['unix:', REFUSED],
    ['unix:/', REFUSED],
    ['unix:run.sock', REFUSED],
    ['unix://run/a.sock', REFUSED],
    ['8000', /^be host:port such as/],
    ['/run/claimgate.sock', /^be host:port such as/],
    ['off', /^be host:port such as/],
  ])
})
