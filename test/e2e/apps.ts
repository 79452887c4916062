import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from '../helpers/program.ts'
import { run } from './processes.ts'

// Debian's packages, which use Debian's own Python: another one may come first on PATH.
const PYTHON = '/usr/bin/python3'
const GUNICORN = '/usr/bin/gunicorn'
const RADICALE = '/usr/bin/radicale'

const works = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

/** Why the test must be skipped, or `false`: the form tap wants. */
export const withoutHttpbin = (): string | false =>
  works(PYTHON, '-c', 'import httpbin, gevent, gunicorn') && works(GUNICORN, '--version')
    ? false
    : 'skipped: needs apt-get install python3-httpbin gunicorn python3-gevent'

export const withoutRadicale = (): string | false =>
  works(RADICALE, '--version') ? false : 'skipped: needs apt-get install radicale'

/** The real httpbin; resolves with its origin. */
export const startHttpbin = async (t: Owner): Promise<string> => {
  const args = ['-b', '127.0.0.1:0', '-w', '1', '-k', 'gevent', 'httpbin:app'] as const
  const [, origin] = await run(t, [GUNICORN, ...args]).until(/Listening at: (http:\/\/[\d.]+:\d+)/)
  return origin ?? ''
}

/**
 * The real Radicale, a calendar server that takes the user's name from X-Remote-User and lets nobody but the owner
 * at a calendar; resolves with its origin.
 */
export const startRadicale = async (t: Owner): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-radicale-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const configuration = [
    ...['[server]', 'hosts = 127.0.0.1:0'],
    ...['[auth]', 'type = http_x_remote_user'],
    ...['[rights]', 'type = owner_only'],
    ...['[storage]', `filesystem_folder = ${join(folder, 'collections')}`],
    ...['[logging]', 'level = info'],
  ]
  writeFileSync(join(folder, 'config'), `${configuration.join('\n')}\n`)
  const radicale = run(t, [RADICALE, '--config', join(folder, 'config')], { PYTHONUNBUFFERED: '1' })
  const [, port] = await radicale.until(/Listening on '\[127\.0\.0\.1\]:(\d+)'/)
  await radicale.until(/server ready/)
  return `http://127.0.0.1:${port}`
}
