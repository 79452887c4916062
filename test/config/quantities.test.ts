import t from 'tap'
import { duration, size } from '../../src/config/quantities.ts'
import { readsAs } from '../helpers/settings.ts'

const REFUSED = /^be a duration from 100ms to 24h/

t.test('duration() reads a whole number and its unit, both ends included', async (t) => {
  readsAs(t, duration('100ms', '24h'), [
    ['100ms', 100],
    ['500ms', 500],
    ['60s', 60_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['86400s', 86_400_000],
    ['99ms', REFUSED],
    ['0s', REFUSED],
    ['86401s', REFUSED],
    ['25h', REFUSED],
    ['60', REFUSED],
    ['s', REFUSED],
    ['1.5s', REFUSED],
    ['1,5s', REFUSED],
    ['-1s', REFUSED],
    ['+1s', REFUSED],
    ['01s', REFUSED],
    ['1e3s', REFUSED],
    ['0x10s', REFUSED],
    ['1 s', REFUSED],
    ['1S', REFUSED],
    ['1d', REFUSED],
    ['1us', REFUSED],
    ['1h30m', REFUSED],
    ['5 parsecs', REFUSED],
    ['abc', REFUSED],
    ['NaN', REFUSED],
    ['Infinity', REFUSED],
    ['1constructor', REFUSED],
    ['99999999999999999999s', REFUSED],
    ['١s', REFUSED],
    ['', /^have a value/],
    [' 1s', /^not begin or end with white space/],
    ['1s\n', /^not begin or end with white space/],
    ['1\u0000s', /^hold no control character/],
  ])
  readsAs(t, duration('0s', '5m'), [
    ['0s', 0],
    ['0ms', 0],
    ['300s', 300_000],
    ['301s', /^be a duration from 0s to 5m/],
  ])
})

t.test('size() reads a whole number and its unit, both ends included', async (t) => {
  const refused = /^be a size from 8KiB to 1MiB/
  readsAs(t, size('8KiB', '1MiB'), [
    ['8KiB', 8_192],
    ['8192B', 8_192],
    ['128KiB', 131_072],
    ['1MiB', 1_048_576],
    ['8191B', refused],
    ['1048577B', refused],
    ['2MiB', refused],
    ['131072', refused],
    ['128kib', refused],
    ['128KB', refused],
    ['128K', refused],
    ['0.5MiB', refused],
    ['1GiB', refused],
  ])
})

t.test('bounds that Node timers cannot hold are a mistake of the table', async (t) => {
  t.throws(() => duration('0s', '597h'), TypeError)
  t.throws(() => duration('0', '1s'), TypeError)
  t.doesNotThrow(() => duration('0s', '596h'))
})
