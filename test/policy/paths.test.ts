import t from 'tap'
import { createPaths, hasOneReading } from '../../src/policy/paths.ts'
import { type Case, runCorpus } from '../helpers/corpus.ts'

t.test('an exact path matches itself, byte for byte', async (t) => {
  const isHealth = createPaths(['/healthz', '/a%2db'])
  t.ok(isHealth('/healthz'))
  t.ok(isHealth('/a%2db'))
  for (const other of ['/healthz/', '/HEALTHZ', '/health%7a', '//healthz', '/healthz/x', '/a-b'])
    t.notOk(isHealth(other), other)
})

t.test('a prefix matches what is below it, by whole segments', async (t) => {
  const isAdmin = createPaths(['/admin/*'])
  for (const below of ['/admin/', '/admin/users', '/admin/users/1/edit', '/admin/a.css'])
    t.ok(isAdmin(below), below)
  for (const other of ['/admin', '/administrator', '/ADMIN/users', '/x/admin/users', '/'])
    t.notOk(isAdmin(other), other)
})

t.test('/* matches every path with one reading', async (t) => {
  const isAny = createPaths(['/*'])
  t.ok(isAny('/'))
  t.ok(isAny('/a/b'))
  t.notOk(isAny('//a'))
  t.notOk(isAny('/a/../b'))
})

t.test('without patterns no path matches', async (t) => {
  t.notOk(createPaths([])('/'))
})

t.test('what every server reads alike has one reading', async (t) => {
  for (const path of [
    ...['/', '/a', '/a/', '/a.b/c..d/.well', '/a%20b', '/%C4%8D', '/~ann/(1)', '/a,b:c@d=e&f+g!'],
    ...['/...x', '/x...', '/100$', '/%7euser', '/%e6%97%a5%e6%9c%ac'],
  ])
    t.ok(hasOneReading(path), path)
})

const TWO_READINGS: Readonly<Record<string, readonly string[]>> = {
  'dot segments': [
    '/a/.',
    '/a/./b',
    '/a/..',
    '/a/../b',
    '/..',
    '/a/.../b',
    '/a/..%20/b',
    '/a/%20.',
  ],
  'empty segments': ['//a', '/a//b', '/a//'],
  backslashes: ['/a\\b', '/a\\..\\b'],
  parameters: ['/a;b', '/a/..;/b', '/a;/b'],
  'an encoded slash': ['/a%2fb', '/a%2Fb', '/a/..%2f', '/a%5cb', '/a%5Cb'],
  'an encoded dot': ['/a/%2e', '/a/%2E%2e/b', '/a%2eb', '/a/.%2e/b'],
  'an encoded cut': ['/a/..%3fb', '/a/..%23b', '/a/..%3bb', '/a%3Bb'],
  'an escaped escape': ['/a%252fb', '/a%25252eb', '/a%25', '/a/%252e%252e/b', '/%25%32%65'],
  'a broken escape': ['/a%', '/a%2', '/a%zz', '/a%u002e', '/%%32%65', '/a%2/'],
  'control characters': ['/a%00', '/a/..%00/b', '/a%0d%0ab', '/a%7f', '/a%1F', '/a%c2%85'],
  'no UTF-8': ['/a%ff', '/a/%c0%ae%c0%ae/b', '/a%c0%afb', '/%e0%80%af', '/%ed%a0%80'],
  'characters that look alike': ['/a/%ef%bc%8e%ef%bc%8e/b', '/a%ef%bc%8fb', '/a%ef%bc%bcb'],
  'one character for several': ['/a/%e2%80%a5/b', '/a/%e2%84%80', '/a%ef%bc%85b', '/a%ef%bc%9bb'],
}

for (const [what, paths] of Object.entries(TWO_READINGS))
  t.test(`a path with ${what} matches no prefix`, async (t) => {
    const matches = createPaths(['/*', '/a/*'])
    for (const path of paths) t.notOk(matches(path), path)
  })

t.test('a long path of one kind takes no long time', async (t) => {
  for (const piece of ['%25', '/.', '%', ' .', '%20.', '/', 'a'])
    hasOneReading(`/${piece.repeat(120_000 / piece.length)}`)
  t.pass('each was decided')
})

interface Paths {
  readonly cases: readonly Case[]
  readonly sut_config: {
    readonly bypass: readonly { readonly exact?: string; readonly prefix?: string }[]
  }
}

t.test('path-bypass.json: no way around exact paths and prefixes', async (t) => {
  await runCorpus<Paths>(
    t,
    'path-bypass.json',
    async ({ cases, sut_config: { bypass } }, tally) => {
      const patterns = bypass.flatMap(({ exact, prefix }) => exact ?? `${prefix}*`)
      t.strictSame(patterns, ['/healthz', '/favicon.ico', '/public/*'])
      const matches = createPaths(patterns)
      for (const { id, outcome, target } of cases.filter((recipe) => recipe['token'] === 'none')) {
        tally.ran += 1
        const isMatch = matches(String(target).replace(/\?.*$/, ''))
        if (isMatch !== (outcome === 'allow')) tally.deviations.push(`${id}: ${String(isMatch)}`)
      }
    },
  )
})
