// Passes TAP from standard input through and adds one plain closing line: `47 passed, 0 failed, 2 skipped`.
// Ends with 1 when something failed, and when the TAP has no closing count (the runner died).
// Every argument is the name of something that failed before the tests, and counts as one failure.
import { createInterface } from 'node:readline'

/** tap's own last line: `# { total: 5, pass: 3, fail: 1, skip: 1 }`; absent counts are zero. */
const CLOSING = /^# \{ total: \d+.*\}$/

let closing
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(`${line}\n`)
  if (CLOSING.test(line)) closing = line
}

const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(closing ?? '')?.[1] ?? 0)
const failedBefore = process.argv.slice(2)
const failed = (closing === undefined ? 1 : count('fail')) + failedBefore.length
const skipped = count('skip') + count('todo')
const tail = skipped === 0 ? '' : `, ${skipped} skipped`
for (const name of failedBefore) process.stdout.write(`failed: ${name}\n`)
process.stdout.write(`${count('pass')} passed, ${failed} failed${tail}\n`)
process.exitCode = failed === 0 ? 0 : 1
