// Passes TAP from standard input through and adds one plain closing line: `47 passed, 0 failed, 2 skipped`.
// Ends with 1 when something failed, and when the TAP has no closing count (the runner died).
// An argument that is such a line itself is added to the counts; any other is the name of something that failed before the
// tests, and counts as one failure.
import { createInterface } from 'node:readline'

/** tap's own last line: `# { total: 5, pass: 3, fail: 1, skip: 1 }`; absent counts are zero. */
const CLOSING = /^# \{ total: \d+.*\}$/

/** A failed test of any depth, or what a file or test says of itself, indented by its depth. */
const NAMED = /^( *)(not ok|# Subtest:) (.*)$/

let closing
/** The names of what runs just now, the file first. */
const path = []
const failures = []
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(`${line}\n`)
  if (CLOSING.test(line)) closing = line
  const [, indent, kind, name] = NAMED.exec(line) ?? []
  if (kind === undefined) continue
  path.length = indent.length / 4
  if (kind === 'not ok') failures.push([...path, name].join(' > '))
  else path.push(name)
}

const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(closing ?? '')?.[1] ?? 0)
const counts = process.argv
  .slice(2)
  .map((text) => /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(text))
const failedBefore = process.argv.slice(2).filter((_, i) => counts[i] === null)
const before = (group) => counts.reduce((sum, match) => sum + Number(match?.[group] ?? 0), 0)
const passed = count('pass') + before(1)
const failed = (closing === undefined ? 1 : count('fail')) + before(2) + failedBefore.length
const skipped = count('skip') + count('todo') + before(3)
const tail = skipped === 0 ? '' : `, ${skipped} skipped`
// Again at the end: whoever sees only that must know what to look at. The first is the deepest, and the cause.
const MOST_TOLD = 40
for (const name of failures.slice(0, MOST_TOLD)) process.stdout.write(`not ok: ${name}\n`)
for (const name of failedBefore) process.stdout.write(`failed: ${name}\n`)
process.stdout.write(`${passed} passed, ${failed} failed${tail}\n`)
process.exitCode = failed === 0 ? 0 : 1
