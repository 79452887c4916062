/**
 * What must hold before a version is given away: `npm run release-check [-- --skip-tests] [-- --skip-image]`. It works
 * in a fresh clone of the last commit, so nothing that lies about here takes part. Each step is one line; ends with 1
 * when one did not hold. The image needs what `npm run image` needs, and heeds the same variables.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findEngine } from './image/engine.ts'
import { releaseProblems } from './release-notes.ts'

const { values } = parseArgs({
  options: {
    'skip-tests': { type: 'boolean', default: false },
    'skip-image': { type: 'boolean', default: false },
  },
})

/** Bytes of one step; beyond them it would be ended. */
const MOST_OUTPUT = 64 * 1024 * 1024

const folder = mkdtempSync(join(tmpdir(), 'claimgate-release-'))
const clone = join(folder, 'claimgate')
let failed = 0
let skipped = 0

/** Tells the outcome in one line, and what there is to say about a failure below it. */
function tell(what: string, problems: string): void {
  if (problems !== '') failed++
  process.stdout.write(`${problems === '' ? 'ok    ' : 'NOT OK'} ${what}\n${problems}`)
}

function step(what: string, program: string, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: clone,
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
  })
  tell(what, status === 0 ? '' : `${stdout}${stderr}\n`)
}

const skip = (what: string, why: string): void => {
  skipped++
  process.stdout.write(`skip   ${what}: ${why}\n`)
}

/** `npm run image` is content without an engine; a release is not. */
const hasEngine = (): boolean =>
  Boolean(process.env['CONTAINER_ENGINE']) || findEngine(['docker', 'podman']) !== undefined

function verdict(): string {
  if (failed > 0) return `${failed} did not hold`
  return skipped > 0 ? `all that ran holds; skipped: ${skipped}` : 'ready to be released'
}

try {
  const status = spawnSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).stdout
  tell('everything is committed', status)
  const cloned = spawnSync('git', ['clone', '-q', '--no-hardlinks', '.', clone], {
    encoding: 'utf8',
  })
  tell('a fresh clone', cloned.status === 0 ? '' : cloned.stderr)
  step('npm ci', 'npm', 'ci', '--no-audit', '--no-fund')
  step('lint', 'npm', 'run', '-s', 'lint')
  step('types', 'npm', 'run', '-s', 'typecheck')
  step('build', 'npm', 'run', '-s', 'build')
  step('generated documents are those of the settings', 'npm', 'run', '-s', 'docs')
  step('nothing changed by that', 'git', 'diff', '--exit-code', '--stat')
  step(
    'licences and advisories',
    'npm',
    'exec',
    '-s',
    '--',
    'tap',
    'test/repo/packages.test.ts',
    '--reporter=terse',
  )
  const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'))
  const notes = readFileSync(join(clone, 'CHANGELOG.md'), 'utf8')
  tell(
    `CHANGELOG.md has ${version}`,
    releaseProblems(notes, version)
      .map((line) => `${line}\n`)
      .join(''),
  )
  step('what is in it can be listed', 'npm', 'run', '-s', 'sbom')
  if (values['skip-tests']) skip('tests', '--skip-tests')
  else step('tests', 'npm', 'exec', '-s', '--', 'tap', '--reporter=terse')
  if (values['skip-image']) skip('image', '--skip-image')
  else if (!hasEngine()) tell('image', 'neither docker nor podman answers here; see --skip-image\n')
  else step('image and compose', 'npm', 'run', '-s', 'image', 'build', 'container', 'compose')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(`${verdict()}\n`)
process.exitCode = failed === 0 ? 0 : 1
