// Runs the tests of this folder and ends with one plain line: `12 passed, 0 failed`.
//   usage: npm run e2e [-- --pictures] [-- FILE ...]     --pictures writes docs/images/ anew
import { spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** For one test. */
const TEST_TIMEOUT_MS = 120_000
/** For all of them together. */
const RUN_TIMEOUT_MS = 600_000

process.chdir(new URL('..', import.meta.url).pathname)

const say = (line) => process.stdout.write(`${line}\n`)
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'
const files = process.argv.slice(2).filter((word) => !word.startsWith('--'))

const start = () => {
  const tests = files.length > 0 ? files : globSync('e2e/*.test.ts').sort()
  return spawn(
    process.execPath,
    [
      '--test',
      '--test-concurrency=1',
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      '--test-reporter=tap',
      ...tests,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        CHROMIUM: chromium,
        E2E_PICTURES: process.argv.includes('--pictures') ? 'write' : '',
      },
    },
  )
}

const runAll = async () => {
  const child = start()
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS)
  const counts = new Map()
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
    say(line)
    const [, name, count] = /^# (pass|fail|cancelled|skipped) (\d+)$/.exec(line) ?? []
    if (name !== undefined) counts.set(name, Number(count))
  }
  clearTimeout(timer)
  const count = (name) => counts.get(name) ?? 0
  // Without a closing count the runner died.
  const failed = counts.has('pass') ? count('fail') + count('cancelled') : 1
  const skipped = count('skipped') === 0 ? '' : `, ${count('skipped')} skipped`
  say(`${count('pass')} passed, ${failed} failed${skipped}`)
  return failed === 0 && count('pass') + count('skipped') > 0 ? 0 : 1
}

if (!existsSync('e2e/node_modules/playwright-core')) {
  say('not installed: run "npm --prefix e2e ci" first')
  process.exitCode = 1
} else if (!existsSync(chromium)) {
  say(
    `1..0 # SKIP there is no ${chromium}: run "apt-get install chromium", or name one in CHROMIUM`,
  )
  say('0 passed, 0 failed, 1 skipped')
} else {
  process.exitCode = await runAll()
}
