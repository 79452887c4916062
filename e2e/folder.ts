import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from '../test/helpers/program.ts'

/** An empty folder that goes with its owner. */
export function folder(owner: Owner): string {
  const path = mkdtempSync(join(tmpdir(), 'claimgate-e2e-'))
  owner.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** The path of a settings file with this YAML. */
export function settingsFile(owner: Owner, yaml: string): string {
  const path = join(folder(owner), 'config.yaml')
  writeFileSync(path, `${yaml}\n`)
  return path
}
