import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { createSecureContext, getCACertificates } from 'node:tls'
import type { Config, UpstreamAddress } from '../config/config.ts'
import { isLoopback } from '../config/hosts.ts'
import { judgeCertificate } from './certificate.ts'
import { type Finding, findingsAbout } from './finding.ts'
import { dial, resolveName, shakeHands } from './probe.ts'

const tell = findingsAbout('upstream')

type NetworkAddress = Exclude<UpstreamAddress, { protocol: 'unix:' }>
type Sources = Pick<Config, 'upstream' | 'upstreamTls'>

/** More interfaces than a machine of people has; it bounds the probes. */
const MAX_ADDRESSES = 8

/** How the finding begins that no probe can settle. */
export const ON_NETWORK = 'it is on the network'

const CLOSE =
  'bind the app to 127.0.0.1 or a Unix socket, or give it a network with claimgate alone'

/**
 * Whether the app answers, and whether others can reach it past claimgate.
 *
 * @param ownAddresses The addresses under which others reach this machine.
 */
export async function examineUpstream(
  { upstream, upstreamTls }: Sources,
  ownAddresses: readonly string[],
): Promise<readonly Finding[]> {
  if (upstream === undefined) return [tell.ok('none: with mode: forward-auth nothing is forwarded')]
  if (upstream.protocol === 'unix:') return examineSocket(upstream.path)
  const { hostname: host, port } = upstream
  const names = await resolveName(host)
  if (names.kind === 'failed')
    return [tell.error(`the name ${host} cannot be resolved (${names.code})`, 'upstream')]
  const dialled = await dial({ host, port })
  const reached =
    dialled.kind === 'found'
      ? tell.ok(`${host}:${port} takes connections`)
      : tell.error(
          `${host}:${port} cannot be reached (${dialled.code})`,
          'upstream, or start the app',
        )
  const tls =
    dialled.kind === 'found' && upstream.protocol === 'https:'
      ? [await examineTls(upstream, upstreamTls)]
      : []
  const around = await examineWaysAround(port, names.value, ownAddresses)
  // That nobody answers elsewhere is no news of an app that does not answer at all.
  const news = around.filter(({ severity }) => dialled.kind === 'found' || severity !== 'ok')
  return [reached, ...tls, ...news]
}

async function examineSocket(path: string): Promise<Finding[]> {
  const probed = await dial({ path })
  return [
    probed.kind === 'found'
      ? tell.ok('the Unix socket takes connections, from nobody on the network')
      : tell.error(
          `the Unix socket cannot be opened (${probed.code})`,
          'upstream, or start the app',
        ),
  ]
}

const TLS_SETTINGS = {
  authority: 'upstream_ca_file, the certificate of that CA',
  name: 'upstream_server_name, a name it is for',
}

async function examineTls(
  { hostname: host, port }: NetworkAddress,
  { caFile, serverName }: Config['upstreamTls'],
): Promise<Finding> {
  const name = serverName ?? host
  const ca = caFile === undefined ? getCACertificates('default') : await readAuthorities(caFile)
  if (ca === undefined) return tell.error('upstream_ca_file cannot be used', 'upstream_ca_file')
  const probed = await shakeHands({
    target: { host, port },
    serverName: isIP(name) === 0 ? name : '',
    secureContext: createSecureContext({ ca: [...ca] }),
  })
  if (probed.kind === 'found')
    return judgeCertificate(probed.value, name, { settings: TLS_SETTINGS, tell })
  return tell.error(`TLS cannot be agreed (${probed.code})`, 'upstream, its scheme and port')
}

async function readAuthorities(path: string): Promise<readonly string[] | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.includes('-----BEGIN CERTIFICATE-----') ? [text] : undefined
}

/** An app on loopback may listen on the other addresses of the machine as well. */
async function examineWaysAround(
  port: number,
  addresses: readonly string[],
  ownAddresses: readonly string[],
): Promise<Finding[]> {
  if (!addresses.every(isLoopback)) {
    const where = addresses.slice(0, 4).join(', ')
    return [
      tell.warning(`${ON_NETWORK} (${where}): whoever reaches it there can be anybody`, CLOSE),
    ]
  }
  const others = ownAddresses.slice(0, MAX_ADDRESSES)
  const probed = await Promise.all(others.map((host) => dial({ host, port })))
  const open = others.filter((_, index) => probed[index]?.kind === 'found')
  if (open.length === 0) return [tell.ok('it answers on loopback alone')]
  return [
    tell.warning(
      `it answers at ${open.join(', ')}, too: whoever reaches it there can be anybody`,
      CLOSE,
    ),
  ]
}
