import type { Config } from './config.ts'
import type { SettingName } from './setting.ts'

/** How each setting that cannot change in a running process looks in a Config; equal texts are no change. */
const FIXED: readonly (readonly [name: SettingName, look: (config: Config) => unknown])[] = [
  ['listen', ({ listen }) => listen],
  ['admin_listen', ({ adminListen }) => adminListen],
  // Other files are fine; between plain HTTP, TLS and client certificates lies a restart.
  ['tls_cert_file', ({ tls }) => tls === undefined],
  ['tls_client_ca_file', ({ tls }) => tls?.clientCaFile === undefined],
  ['mode', ({ upstream }) => upstream === undefined],
  ['log_format', ({ logFormat }) => logFormat],
  ['audit_log', ({ auditLog }) => auditLog],
  ['audit_fields', ({ auditFields }) => auditFields],
  ['tracing', ({ tracing }) => tracing],
]

/** The settings in which `next` differs and that only a restart can change. */
export function needsRestart(current: Config, next: Config): SettingName[] {
  const changed = FIXED.filter(
    ([, look]) => JSON.stringify(look(current)) !== JSON.stringify(look(next)),
  ).map(([name]) => name)
  // What it remembers ends with the skew that it was remembered under.
  const isGuarded = current.replayGuard === 'on' && next.replayGuard === 'on'
  return isGuarded && current.clockSkew !== next.clockSkew ? [...changed, 'clock_skew'] : changed
}
