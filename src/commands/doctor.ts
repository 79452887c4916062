import type { Milliseconds } from '../config/config.ts'
import { readConfig, type Sources } from '../config/read.ts'
import { type Finding, findingLine, findingsAbout } from '../doctor/finding.ts'
import { examineHeaders } from '../doctor/headers.ts'
import { examineKeySet } from '../doctor/key-set.ts'
import { examineUpstream } from '../doctor/upstream.ts'
import { ConfigError } from '../errors.ts'

/** sysexits.h EX_CONFIG. */
const EX_CONFIG = 78

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
 * code: 1 when something must be mended, 78 when the settings cannot be used, else 0.
 */
export async function doctor(invocation: DoctorInvocation): Promise<0 | 1 | 78> {
  const { write, now, ownAddresses, flags, ...sources } = invocation
  const isJson = flags.includes('--json')
  const settings = flags.filter((word) => word !== '--json')
  const read = readSettings({ ...sources, flags: settings })
  if ('findings' in read) {
    write(isJson ? findingsJson(read.findings) : read.findings.map(findingLine).join(''))
    return EX_CONFIG
  }
  const { config, warnings } = read
  const [keySet, upstream] = await Promise.all([
    examineKeySet(config, now),
    examineUpstream(config, ownAddresses),
  ])
  const findings = [...settingFindings(warnings), ...keySet, ...examineHeaders(config), ...upstream]
  if (isJson) write(findingsJson(findings))
  else for (const finding of findings) write(findingLine(finding))
  return findings.some(isError) ? 1 : 0
}

const isError = ({ severity }: Finding): boolean => severity === 'error'

const findingsJson = (findings: readonly Finding[]): string =>
  `${JSON.stringify({ ok: !findings.some(isError), findings }, null, 2)}\n`

/** The settings, or what is wrong with them as findings. */
function readSettings(sources: Sources) {
  try {
    return readConfig(sources)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { error: bad } = findingsAbout('settings')
    const findings = error.problems.map(({ source, message }) =>
      bad(`${source}: ${message}`, 'the named setting'),
    )
    return { findings }
  }
}

function settingFindings(warnings: readonly string[]): readonly Finding[] {
  const tell = findingsAbout('settings')
  if (warnings.length === 0) return [tell.ok('they can be used')]
  return warnings.map((warning) => tell.warning(warning, 'the named setting'))
}
