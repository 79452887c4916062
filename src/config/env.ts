import type { Problem } from '../errors.ts'
import type { Found } from './flags.ts'
import { type Input, quote, textInput } from './input.ts'
import { problem, unknownName } from './problem.ts'
import { type ReadFile, readText } from './read-text.ts'
import type { SettingName } from './setting.ts'
import { envName, SETTING_NAMES } from './settings.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** Names that users of Pomerium's verify app have already; weaker than the setting's own variable. */
const ALIASES: ReadonlyMap<string, SettingName> = new Map([
  ['JWKS_ENDPOINT', 'jwks_uri'],
  ['EXPECTED_JWT_ISSUER', 'issuer'],
  ['EXPECTED_JWT_AUDIENCE', 'audience'],
  ['EXTRA_CA_CERTS', 'jwks_ca_file'],
])

const NAMES = new Map(SETTING_NAMES.map((name) => [envName(name), name]))

/**
 * Reads `CLAIMGATE_*`, their `_FILE` form (the value is in that file, less one final line break) and the aliases. A
 * `CLAIMGATE_*` that is neither a setting nor a Kubernetes service link is a problem.
 */
export function readEnv(env: Env, readFile: ReadFile): Found & { readonly warnings: string[] } {
  const inputs = new Map<SettingName, Input>()
  const problems: Problem[] = [...hazards(env), ...strangers(env)]
  for (const [variable, name] of NAMES) setOnce(inputs, name, { variable, env })
  readFileForms(env, readFile, { inputs, problems })
  for (const [variable, name] of ALIASES) setOnce(inputs, name, { variable, env })
  return { inputs, problems, warnings: portWarning(env) }
}

function setOnce(
  inputs: Map<SettingName, Input>,
  name: SettingName,
  { variable, env }: { readonly variable: string; readonly env: Env },
): void {
  const text = env[variable]
  if (text !== undefined && !inputs.has(name)) inputs.set(name, textInput(text, `env ${variable}`))
}

/** The setting whose value is in the file that `variable` names. `config` is a file already. */
function fileForm(variable: string): SettingName | undefined {
  const name = variable.endsWith('_FILE')
    ? NAMES.get(variable.slice(0, -'_FILE'.length))
    : undefined
  return name === 'config' || NAMES.has(variable) ? undefined : name
}

function readFileForms(
  env: Env,
  readFile: ReadFile,
  { inputs, problems }: { inputs: Map<SettingName, Input>; problems: Problem[] },
): void {
  for (const [variable, path] of Object.entries(env)) {
    const name = fileForm(variable)
    if (path === undefined || name === undefined) continue
    const source = `env ${variable}`
    const text = readText(path, readFile)
    if (inputs.has(name))
      problems.push(problem(source, name, 'be set in one way', `${envName(name)} as well`))
    else if (typeof text === 'string')
      inputs.set(name, textInput(text.replace(/\r?\n$/, ''), source))
    else problems.push(problem(source, name, 'be in a readable file', text.got))
  }
}

/**
 * Kubernetes gives every pod variables about the services of its namespace. A service named claimgate, or
 * claimgate-admin, makes names that look like settings.
 */
function isServiceLink(variable: string, value: string): boolean {
  return (
    /^CLAIMGATE_(\w+_)?SERVICE_(HOST|PORT(_\w+)?)$/.test(variable) ||
    /^CLAIMGATE_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(variable) ||
    (/^CLAIMGATE_(\w+_)?PORT$/.test(variable) && /^(tcp|udp|sctp):\/\//.test(value))
  )
}

function* strangers(env: Env): Generator<Problem> {
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith('CLAIMGATE_')) continue
    const isSetting = NAMES.has(variable) || fileForm(variable) !== undefined
    if (isSetting || isServiceLink(variable, text) || variable === 'CLAIMGATE_PORT') continue
    const source = /^\w{1,80}$/.test(variable) ? `env ${variable}` : 'env'
    yield unknownName(source, variable, [...NAMES.keys()])
  }
}

/** Ignored as all service links are, but a bare number there was meant for us. */
function portWarning(env: Env): string[] {
  const text = env['CLAIMGATE_PORT']
  if (text === undefined || isServiceLink('CLAIMGATE_PORT', text)) return []
  return ['env CLAIMGATE_PORT: it is not a setting and is ignored; listen sets the data port']
}

/** Switches of Node.js itself that would undo what this program checks. */
function* hazards(env: Env): Generator<Problem> {
  const tls = env['NODE_TLS_REJECT_UNAUTHORIZED']
  if (tls === '0')
    yield problem(
      'env NODE_TLS_REJECT_UNAUTHORIZED',
      'it',
      'not be set: it turns off all checks of TLS certificates (name authorities with jwks_ca_file and upstream_ca_file)',
      quote(tls),
    )
  const options = env['NODE_OPTIONS'] ?? ''
  if (/--insecure[-_]http[-_]parser/.test(options))
    yield problem(
      'env NODE_OPTIONS',
      'it',
      'not hold --insecure-http-parser, which lets malformed requests through',
      quote(options),
    )
}
