import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'

const summarize = (tap: string, ...failedBefore: string[]) => {
  const { stdout, status } = spawnSync(process.execPath, ['.ci/tap-summary.mjs', ...failedBefore], {
    input: tap,
    encoding: 'utf8',
  })
  return { lines: stdout.trimEnd().split('\n'), status }
}

t.test('the closing line repeats the counts of tap', async (t) => {
  t.strictSame(summarize('TAP version 14\nok 1 - a\n\n# { total: 47, pass: 47 }\n# time=1ms\n'), {
    lines: [
      'TAP version 14',
      'ok 1 - a',
      '',
      '# { total: 47, pass: 47 }',
      '# time=1ms',
      '47 passed, 0 failed',
    ],
    status: 0,
  })
})

t.test('failures, skipped and todo are counted, and a failure ends it with 1', async (t) => {
  const { lines, status } = summarize('# { total: 9, pass: 4, fail: 2, todo: 1, skip: 2 }\n')
  t.equal(lines.at(-1), '4 passed, 2 failed, 3 skipped')
  t.equal(status, 1)
})

t.test('a runner that died is a failure', async (t) => {
  const { lines, status } = summarize('TAP version 14\nok 1 - a\n')
  t.equal(lines.at(-1), '0 passed, 1 failed')
  t.equal(status, 1)
})

t.test('what failed before the tests is named and counted', async (t) => {
  const { lines, status } = summarize('# { total: 3, pass: 3 }\n', 'npm run lint', 'npm run build')
  t.strictSame(lines.slice(-3), [
    'failed: npm run lint',
    'failed: npm run build',
    '3 passed, 2 failed',
  ])
  t.equal(status, 1)
})

t.test('the counts of other tests are added', async (t) => {
  const more = summarize('# { total: 3, pass: 3 }\n', '18 passed, 0 failed, 1 skipped')
  t.equal(more.lines.at(-1), '21 passed, 0 failed, 1 skipped')
  t.equal(more.status, 0)
  const { lines, status } = summarize('# { total: 3, pass: 3 }\n', '17 passed, 1 failed', 'lint')
  t.same(lines.slice(-2), ['failed: lint', '20 passed, 2 failed'])
  t.equal(status, 1)
})

t.test('npm ci finds every platform package in the lock file', async (t) => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>
  }
  const wanted = Object.values(packages).flatMap((one) =>
    Object.keys(one.optionalDependencies ?? {}),
  )
  t.ok(wanted.length > 0)
  t.strictSame(
    wanted.filter((name) => packages[`node_modules/${name}`] === undefined),
    [],
  )
})
