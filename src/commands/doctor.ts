import type { Milliseconds } from '../config/config.ts'
import { readConfig, type Sources } from '../config/read.ts'
import { type Finding, findingLine, findingsAbout } from '../doctor/finding.ts'
import { examineKeySet } from '../doctor/key-set.ts'
import { examineUpstream } from '../doctor/upstream.ts'

export interface DoctorInvocation extends Sources {
  /** Takes whole lines for standard output. */
  write(text: string): void
  /** Wall clock, milliseconds since the epoch. */
  now(): Milliseconds
  /** The addresses under which others reach this machine. */
  readonly ownAddresses: readonly string[]
}

/**
 * `claimgate doctor`: looks at everything around the proxy that it needs, one line for each finding. Returns the exit
 * code: 1 when something must be mended, else 0.
 *
 * @throws ConfigError when the settings cannot be used
 */
export async function doctor(invocation: DoctorInvocation): Promise<0 | 1> {
  const { write, now, ownAddresses, flags, ...sources } = invocation
  const settings = flags.filter((word) => word !== '--json')
  const { config, warnings } = readConfig({ ...sources, flags: settings })
  const [keySet, upstream] = await Promise.all([
    examineKeySet(config, now),
    examineUpstream(config, ownAddresses),
  ])
  const findings = [...settingFindings(warnings), ...keySet, ...upstream]
  const hasErrors = findings.some(({ severity }) => severity === 'error')
  if (flags.includes('--json')) write(`${JSON.stringify({ ok: !hasErrors, findings }, null, 2)}\n`)
  else for (const finding of findings) write(findingLine(finding))
  return hasErrors ? 1 : 0
}

function settingFindings(warnings: readonly string[]): readonly Finding[] {
  const tell = findingsAbout('settings')
  if (warnings.length === 0) return [tell.ok('they can be used')]
  return warnings.map((warning) => tell.warning(warning, 'the named setting'))
}
