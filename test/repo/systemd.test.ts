import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { SETTINGS } from '../../src/config/settings.ts'

const PATH = 'deploy/systemd/claimgate.service'
const UNIT = readFileSync(PATH, 'utf8')

const lineOf = (name: string): string | undefined =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(UNIT)?.[1]

/** The seconds of a default that is written as `25s`. */
const seconds = (fallback: string) => Number(/^(\d+)s$/.exec(fallback)?.[1])

t.test('the unit gives it no rights, and lets it compile', async (t) => {
  for (const [name, value] of [
    ['DynamicUser', 'yes'],
    ['ProtectSystem', 'strict'],
    ['NoNewPrivileges', 'yes'],
    ['CapabilityBoundingSet', ''],
  ] as const)
    t.equal(lineOf(name), value, name)
  t.equal(lineOf('MemoryDenyWriteExecute'), undefined)
})

t.test('the unit reloads, waits for the drain, and leaves wrong settings alone', async (t) => {
  t.equal(lineOf('ExecReload'), '/bin/kill -HUP $MAINPID')
  t.ok(Number(lineOf('TimeoutStopSec')) > seconds(SETTINGS.drain_timeout.fallback))
  t.equal(lineOf('RestartPreventExitStatus'), '78 64')
  t.ok(Number(lineOf('LimitNOFILE')) > 2 * Number(SETTINGS.max_connections.fallback))
})

const isThere = spawnSync('systemd-analyze', ['--version']).status === 0
const SKIPPED = 'skipped: there is no systemd-analyze'

t.test('systemd knows every line of the unit, and calls it hardened', async (t) => {
  if (!isThere) return void t.pass(SKIPPED, { skip: SKIPPED })
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-unit-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const copy = join(folder, 'claimgate.service')
  // The program need not be installed here.
  writeFileSync(copy, UNIT.replace('/usr/local/bin/claimgate', '/bin/true'))
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' })
  t.equal(verified.status, 0, verified.stderr)
  t.equal(verified.stderr, '')
  const judged = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--threshold=20', PATH],
    { encoding: 'utf8' },
  )
  t.equal(judged.status, 0, judged.stdout.split('\n').at(-2) ?? '')
})
