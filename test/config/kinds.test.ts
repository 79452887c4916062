import t from 'tap'
import { type Input, textInput } from '../../src/config/input.ts'
import { boolean, choice, filePath, integer, list, orWord } from '../../src/config/kinds.ts'
import { readsAs } from '../helpers/settings.ts'

const text = (value: string): Input => textInput(value, 'here')
const items = (...values: string[]): Input => ({
  kind: 'list',
  source: 'here',
  items: values.map(text),
})

t.test('boolean is true or false, in no other spelling', async (t) => {
  readsAs(t, boolean, [
    ['true', true],
    ['false', false],
    ...['TRUE', 'True', 'yes', 'no', 'on', 'off', '1', '0', 'null'].map(
      (word) => [word, /^be true or false$/] as const,
    ),
  ])
})

t.test('integer() takes decimal digits within its ends', async (t) => {
  const refused = /^be a whole number from 1 to 65536$/
  readsAs(t, integer(1, 65_536), [
    ['1', 1],
    ['65536', 65_536],
    ...['0', '65537', '-1', '+1', '01', '1.0', '1e3', '0x50', '1_000', '9'.repeat(400)].map(
      (word) => [word, refused] as const,
    ),
  ])
})

t.test('choice() takes its words as they are written', async (t) => {
  readsAs(t, choice(['code', 'none']), [
    ['code', 'code'],
    ['none', 'none'],
    ['None', /^be one of: code none$/],
    ['constructor', /^be one of/],
  ])
})

t.test('orWord() adds one word to a kind and to what is wanted', async (t) => {
  readsAs(t, orWord('off', integer(1, 9)), [
    ['off', undefined],
    ['9', 9],
    ['10', /^be a whole number from 1 to 9, or off$/],
    ['Off', /or off$/],
  ])
})

t.test('a scalar refuses lists, maps, and text with what cannot be seen', async (t) => {
  t.strictSame(filePath.read(items('a')), {
    faults: [{ source: 'here', must: 'be one file', got: 'a list of 1 item' }],
  })
  t.strictSame(filePath.read({ kind: 'map', source: 'here', entries: [] }), {
    faults: [{ source: 'here', must: 'be one file', got: 'a map of 0 entries' }],
  })
  readsAs(t, filePath, [
    ['/a b', '/a b'],
    ['/ä', '/ä'],
    ['', /^have a value/],
    ['\u00a0/a', /white space/],
    ['/a\t', /white space/],
    ['/a\tb', /control character/],
    ['/a\u0085b', /control character/],
    ['/a\ud800b', /lone surrogate/],
  ])
})

t.test('list() reads comma separated text and YAML lists', async (t) => {
  const kind = list(integer(1, 9))
  readsAs(t, kind, [
    ['1', [1]],
    ['1,2', [1, 2]],
    ['1 ,  2', [1, 2]],
    [',', /^have a value/],
    ['1,', /^have a value/],
    ['', /^have 1 to 1000 items/],
    ['  ', /^not begin or end with white space/],
    ['1\n', /^not begin or end with white space/],
    ['1,\n2', /^hold no control character/],
    [Array(1001).fill('1').join(','), /^have 1 to 1000 items/],
  ])
  t.strictSame(kind.read(items('1', '2')), { value: [1, 2] })
  t.match(kind.read(items()), { faults: [{ must: /^have 1 to 1000/, got: 'a list of 0 items' }] })
  t.match(kind.read(items('1,2')), { faults: [{ got: '"1,2"' }] })
  t.match(kind.read({ kind: 'map', source: 'here', entries: [] }), {
    faults: [{ must: 'be a list of numbers' }],
  })
})

t.test('list() reports every bad item where it stands', async (t) => {
  const bad = (value: string, source: string): Input => textInput(value, source)
  const input: Input = {
    kind: 'list',
    source: 'f:1:1',
    items: [bad('0', 'f:1:2'), bad('1', 'f:1:4'), bad('x', 'f:1:6')],
  }
  t.match(list(integer(1, 9)).read(input), {
    faults: [
      { source: 'f:1:2', got: '"0"' },
      { source: 'f:1:6', got: '"x"' },
    ],
  })
})
