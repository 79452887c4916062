import { readFileSync } from 'node:fs'
import t from 'tap'
import { releaseProblems } from '../../scripts/release-notes.ts'

const ENTRY = '# Changelog\n\n## 1.2.3 – 2026-12-24\n\n### Operators must\n\n- nothing\n'

t.test('an entry with its version, date and what operators must do is ready', async (t) => {
  t.strictSame(releaseProblems(ENTRY, '1.2.3'), [])
})

t.test('what is missing is named', async (t) => {
  t.strictSame(releaseProblems(ENTRY, '1.2.4'), ['the first entry is of 1.2.3, wanted is 1.2.4'])
  t.strictSame(releaseProblems('# Changelog\n', '1.2.4'), [
    'the first entry is of nothing, wanted is 1.2.4',
  ])
  t.strictSame(releaseProblems('## 1.2.3 – unreleased\n\n### Added\n', '1.2.3'), [
    'the entry has no date: "## 1.2.3 – unreleased"',
    'the entry has no section "Operators must"',
  ])
})

t.test('the version of the package is the newest in the changelog', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const problems = releaseProblems(readFileSync('CHANGELOG.md', 'utf8'), version)
  t.strictSame(
    problems.filter((problem) => !problem.startsWith('the entry has no date')),
    [],
  )
})
