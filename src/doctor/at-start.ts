import type { Config } from '../config/config.ts'
import type { Finding } from './finding.ts'
import { examineHeaders } from './headers.ts'
import { examineUpstream, ON_NETWORK } from './upstream.ts'

/**
 * What `claimgate doctor` would warn of, as far as it costs a start next to nothing: a few connections to the app, and no
 * request. The key set tells its own log; that the app is on the network is among the warnings of the settings.
 *
 * @param ownAddresses The addresses under which others reach this machine.
 */
export async function examineAtStart(
  config: Config,
  ownAddresses: readonly string[],
): Promise<readonly Finding[]> {
  const findings = [...examineHeaders(config), ...(await examineUpstream(config, ownAddresses))]
  return findings.filter(
    ({ severity, message }) => severity !== 'ok' && !message.startsWith(ON_NETWORK),
  )
}
