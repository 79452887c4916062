import t from 'tap'
import { readConfig, type Sources } from '../../src/config/read.ts'
import { GOOD, linesOf, readFileText } from '../helpers/settings.ts'

const BASE = 'upstream: http://127.0.0.1:3000\nroute: https://app.example.com\n'
const lines = (yaml: string) => linesOf(() => readFileText(yaml))

t.test('an empty file, or one of comments, sets nothing', async (t) => {
  for (const yaml of ['', '\n', '# nothing\n', '---\n', '\ufeff'])
    t.match(lines(yaml), [/^not set: upstream/, /^not set: issuer/, /audience/, /jwks_uri/], yaml)
})

t.test('JSON, a BOM and CRLF are YAML', async (t) => {
  const json = '{"upstream":"http://a:1","route":["https://a.b"],"listen":"127.0.0.1:2"}'
  t.strictSame(readFileText(json).config.audiences, ['a.b'])
  t.strictSame(readFileText(`\ufeff${BASE}`).config.audiences, ['app.example.com'])
  t.strictSame(readFileText(BASE.replaceAll('\n', '\r\n')).config.audiences, ['app.example.com'])
})

t.test('scalars stay the text they are written with', async (t) => {
  t.match(lines(`${BASE}max_connections: 0x10\n`), [/^config.yaml:3:18: .* got "0x10"$/])
  t.match(lines(`${BASE}clock_skew: 60\n`), [/^config.yaml:3:13: clock_skew .* got "60"$/])
  t.match(lines(`${BASE}forward_assertion: yes\n`), [/must be true or false, got "yes"$/])
  t.match(lines(`${BASE}issuer: ~\n`), [])
  t.equal(readFileText(`${BASE}forward_assertion: "true"\n`).config.forwardAssertion, true)
})

const rows: [name: string, yaml: string, lines: (string | RegExp)[]][] = [
  [
    'broken syntax',
    'upstream: [',
    [/^config.yaml:1:\d+: the file must be one valid YAML document/],
  ],
  ['a tab as indent', 'a:\n\tb: 1\n', [/^config.yaml:2:1: the file must be one valid YAML/]],
  ['a reserved character', 'route: @x\n', [/^config.yaml:1:8: .*BAD_SCALAR_START/]],
  ['a duplicate key', 'route: a\nroute: b\n', [/^config.yaml:2:1: .*DUPLICATE_KEY/]],
  [
    'a duplicate key in a map',
    `${BASE}identity_headers:\n  X-A: a\n  X-A: b\n`,
    [/^config.yaml:5:3: .*DUPLICATE_KEY/],
  ],
  ['two documents', `${BASE}---\nroute: x\n`, [/^config.yaml:3:1: .*MULTIPLE_DOCS/]],
  ['a tag', 'route: !!js/function x\n', [/^config.yaml:1:8: .*TAG_RESOLVE_FAILED/]],
  ['a core tag', 'max_connections: !!int 5\n', [/^config.yaml:1:18: .*TAG_RESOLVE_FAILED/]],
  [
    'an alias',
    `${BASE}issuer: &a [x]\naudience: *a\n`,
    [
      'config.yaml:4:11: each value must be written out, at most 6 levels deep and without aliases, got an alias',
    ],
  ],
  [
    'a merge key',
    `${BASE}<<: {issuer: x}\n`,
    ['config.yaml:3:1: the name must be that of a setting, got "<<"'],
  ],
  ['a list', '- a\n', [/^config.yaml:1:1: the file must be a map of settings, got a list$/]],
  ['a text', 'hello\n', [/^config.yaml:1:1: the file must be a map of settings, got something/]],
  ['a key that is a list', `${BASE}? [a]\n: b\n`, [/^config.yaml:3:3: each key must be a name/]],
  [
    'an unknown key',
    `${BASE}\n  # x\nclock-skew: 1s\n`,
    [
      'config.yaml:5:1: the name must be that of a setting (the nearest is clock_skew), got "clock-skew"',
    ],
  ],
  ['__proto__', `${BASE}__proto__: {issuer: [x]}\n`, [/^config.yaml:3:1: the name must/]],
  [
    'config itself',
    `${BASE}config: other.yaml\n`,
    ['config.yaml:3:1: config must be given as --config or CLAIMGATE_CONFIG, got it in the file'],
  ],
  ['a map for a scalar', `${BASE}listen: {a: b}\n`, [/^config.yaml:3:9: listen must be one host/]],
  ['no value', `${BASE}listen:\n`, [/^config.yaml:3:8: listen must have a value .* empty value$/]],
  ['an empty list', `${BASE}issuer: []\n`, [/^config.yaml:3:9: issuer must have 1 to 1000 items/]],
  ['a block text', `${BASE}issuer: |\n  a\n`, [/^config.yaml:3:9: issuer must/]],
  ['too many levels', `${BASE}issuer: [[[[[[[[x]]]]]]]]\n`, [/at most 6 levels deep/, /issuer/]],
]
for (const [name, yaml, wanted] of rows)
  t.test(`${name} is a problem at its place`, async (t) => {
    const found = lines(yaml)
    t.match(found, wanted)
    t.equal(found.length, wanted.length, found.join('\n'))
  })

t.test('an alias bomb and a very deep file end soon', async (t) => {
  const bomb = Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`)
  t.ok(lines(`a: &a-1 x\n${bomb.join('\n')}\n`).length > 0)
  t.ok(lines('['.repeat(20_000)).length > 0)
  t.ok(lines(`issuer: ${'['.repeat(5_000)}x${']'.repeat(5_000)}`).length > 0)
})

t.test('a broken file hides nothing else and calls nothing missing', async (t) => {
  const read = () =>
    readConfig({
      flags: ['--config=c.yaml', '--clock-skew=1'],
      env: { CLAIMGATE_NOPE: '1' },
      readFile: () => 'upstream: [',
    })
  t.strictSame(
    linesOf(read).map((line) => line.replace(/: .*/, '')),
    ['env CLAIMGATE_NOPE', 'c.yaml:1:12', 'flag --clock-skew'],
  )
})

t.test('a file that cannot be read is a problem of the setting that names it', async (t) => {
  const failing =
    (code: string | undefined): Sources['readFile'] =>
    () => {
      throw Object.assign(new Error('/etc/secret'), { code })
    }
  const read = (code: string | undefined) => () =>
    readConfig({ flags: ['--config', '/c'], env: GOOD, readFile: failing(code) })
  const line = (reason: string) => [
    `flag --config: config must name a readable YAML file, got "/c" (${reason})`,
  ]
  t.strictSame(linesOf(read('EISDIR')), line('it is a directory'))
  t.strictSame(linesOf(read('ENOENT')), line('there is no such file'))
  t.strictSame(linesOf(read('EACCES')), line('permission denied'))
  t.strictSame(linesOf(read('EIO')), line('EIO'))
  t.strictSame(linesOf(read(undefined)), line('it cannot be read'))
  t.match(
    linesOf(() =>
      readConfig({ flags: [], env: { ...GOOD, CLAIMGATE_CONFIG: '' }, readFile: failing('EIO') }),
    ),
    [/^env CLAIMGATE_CONFIG: config must have a value/],
  )
  t.match(
    linesOf(() =>
      readConfig({ flags: ['--config=/c'], env: {}, readFile: () => '#'.repeat(1_048_577) }),
    ),
    [/over 1 MiB/],
  )
})
