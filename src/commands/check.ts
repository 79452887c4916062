import type { Config } from '../config/config.ts'
import type { EffectiveValue } from '../config/effective.ts'
import { problem } from '../config/problem.ts'
import { readConfig, type Sources } from '../config/read.ts'
import { readText } from '../config/read-text.ts'
import type { SettingName } from '../config/setting.ts'
import { ConfigError, type Problem } from '../errors.ts'
import { readServerTls } from '../tls/material.ts'

/** sysexits.h: something was found in an unconfigured or misconfigured state. */
const EX_CONFIG = 78

export interface CheckInvocation extends Sources {
  /** Takes whole lines for standard output. */
  write(text: string): void
}

/**
 * `claimgate check`: writes every setting in effect with its source, then the warnings; or all problems. Also opens
 * the files that settings name. Returns the exit code, 0 or 78.
 */
export function check({ write, ...sources }: CheckInvocation): 0 | 78 {
  try {
    const { config, values, warnings } = readConfig(sources)
    for (const line of columns(values)) write(`${line}\n`)
    for (const warning of warnings) write(`warning: ${warning}\n`)
    return report([...unreadable(config, values, sources), ...unfitTls(config, sources)], write)
  } catch (error) {
    if (error instanceof ConfigError) return report(error.problems, write)
    throw error
  }
}

function report(problems: readonly Problem[], write: (text: string) => void): 0 | 78 {
  for (const { source, message } of problems) write(`problem: ${source}: ${message}\n`)
  return problems.length === 0 ? 0 : EX_CONFIG
}

/** `name  value  # source`, in columns as long as values are short. */
function columns(values: readonly EffectiveValue[]): string[] {
  const nameWidth = Math.max(...values.map(({ name }) => name.length))
  return values.map(
    ({ name, value = '-', source }) =>
      `${name.padEnd(nameWidth)}  ${value.padEnd(24)}  # ${source}`,
  )
}

function* namedFiles({
  keySet,
  upstreamTls,
}: Config): Generator<[SettingName, string | undefined]> {
  if (keySet.kind === 'file') yield ['jwks_file', keySet.path]
  else {
    for (const path of keySet.caFiles) yield ['jwks_ca_file', path]
    yield ['jwks_client_cert_file', keySet.clientCertFile]
    yield ['jwks_client_key_file', keySet.clientKeyFile]
  }
  yield ['upstream_ca_file', upstreamTls.caFile]
  yield ['upstream_client_cert_file', upstreamTls.clientCertFile]
  yield ['upstream_client_key_file', upstreamTls.clientKeyFile]
}

/** The files of TLS must also fit each other. */
function unfitTls({ tls }: Config, { readFile }: Sources): readonly Problem[] {
  try {
    if (tls !== undefined) readServerTls(tls, (path) => readText(path, readFile))
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

function unreadable(
  config: Config,
  values: readonly EffectiveValue[],
  { readFile }: Sources,
): Problem[] {
  const problems: Problem[] = []
  for (const [name, path] of namedFiles(config)) {
    const text = path === undefined ? '' : readText(path, readFile)
    if (typeof text === 'string') continue
    const source = values.find((value) => value.name === name)?.source ?? 'default'
    problems.push(problem(source, name, 'name a readable file', text.got))
  }
  return problems
}
