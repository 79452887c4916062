import { isIP } from 'node:net'
import type { Config, Milliseconds } from '../config/config.ts'
import { exchange } from '../key-set/exchange.ts'
import { loadKeySetOnce } from '../key-set/load-once.ts'
import { MAX_KEY_SET_SIZE, type RemoteSource, requestOptions } from '../key-set/remote.ts'
import { createTrust } from '../key-set/trust.ts'
import { judgeCertificate, readable } from './certificate.ts'
import { compareClocks } from './clock.ts'
import { type Finding, findingsAbout } from './finding.ts'
import { dial, PROBE_TIMEOUT, resolveName, shakeHands } from './probe.ts'

const tell = findingsAbout('key set')
const isBad = ({ severity }: Finding): boolean => severity === 'error'

type Sources = Pick<Config, 'keySet' | 'algorithms' | 'clockSkew'>

/** The way to the key set step by step up to the first that fails, what it holds, and the clock at its end. */
export async function examineKeySet(
  { keySet, algorithms, clockSkew }: Sources,
  now: () => Milliseconds,
): Promise<readonly Finding[]> {
  const source =
    keySet.kind === 'remote'
      ? { ...keySet, timeout: Math.min(keySet.timeout, PROBE_TIMEOUT) }
      : keySet
  const findings: Finding[] = []
  if (source.kind === 'remote') {
    for (const step of [examineName, examinePort, examineTls]) {
      findings.push(...(await step(source)))
      if (findings.some(isBad)) return findings
    }
    findings.push(...(await examineClock(source, clockSkew, now)))
  }
  return [...findings, ...(await examineContent(source, algorithms))]
}

const nameOf = (uri: URL): string => uri.hostname.replace(/^\[(.*)\]$/, '$1')

const targetOf = ({ uri, connect }: RemoteSource) =>
  connect ?? {
    host: nameOf(uri),
    port: Number(uri.port) || (uri.protocol === 'https:' ? 443 : 80),
  }

async function examineName(source: RemoteSource): Promise<Finding[]> {
  const { host } = targetOf(source)
  if (isIP(host) !== 0) return []
  const probed = await resolveName(host)
  if (probed.kind === 'found') return [tell.ok(`${host} is ${probed.value.slice(0, 4).join(', ')}`)]
  const message = `the name ${host} cannot be resolved (${probed.code})`
  return [tell.error(message, 'jwks_connect, the host:port to dial instead')]
}

async function examinePort(source: RemoteSource): Promise<Finding[]> {
  const target = targetOf(source)
  const where = `${target.host}:${target.port}`
  const probed = await dial(target)
  if (probed.kind === 'found') return [tell.ok(`${where} takes connections`)]
  return [
    tell.error(
      `${where} cannot be reached (${probed.code})`,
      'jwks_connect, the host:port to dial',
    ),
  ]
}

const TLS_SETTINGS = {
  authority: 'jwks_ca_file, the certificate of that CA',
  name: 'jwks_uri (or route) with a name it is for, and jwks_connect with the address',
}

async function examineTls(source: RemoteSource): Promise<Finding[]> {
  const { uri } = source
  if (uri.protocol !== 'https:')
    return [tell.ok('it is fetched without TLS, which is meant for this machine or network alone')]
  const trust = await createTrust(source)()
  if (trust.kind === 'failed') return [tell.error(trust.reason, 'the named file')]
  const name = nameOf(uri)
  const probed = await shakeHands({
    target: targetOf(source),
    serverName: isIP(name) === 0 ? name : '',
    secureContext: trust.context,
  })
  if (probed.kind === 'found')
    return [judgeCertificate(probed.value, name, { settings: TLS_SETTINGS, tell })]
  return [
    tell.error(
      `TLS cannot be agreed (${probed.code})`,
      'scheme and port of jwks_uri or jwks_connect',
    ),
  ]
}

/**
 * The clock of the key set's server against this one, by one request. Nothing when there is no answer: what the set
 * holds says why.
 */
export async function examineClock(
  source: RemoteSource,
  clockSkew: Milliseconds,
  now: () => Milliseconds,
): Promise<Finding[]> {
  const trust = source.uri.protocol === 'https:' ? await createTrust(source)() : undefined
  const context = trust?.kind === 'context' ? trust.context : undefined
  const before = now()
  try {
    const { headers } = await exchange({
      options: requestOptions(source, undefined, context),
      timeout: source.timeout,
      maxBody: MAX_KEY_SET_SIZE,
      signal: new AbortController().signal,
    })
    const date = headers.age === undefined ? headers.date : undefined
    return [compareClocks({ date, before, after: now(), clockSkew })]
  } catch {
    return []
  }
}

async function examineContent(
  source: Config['keySet'],
  algorithms: readonly string[],
): Promise<readonly Finding[]> {
  const { keySet, kids, notes, failure } = await loadKeySetOnce(source, algorithms)
  keySet.close()
  const setting = source.kind === 'file' ? 'jwks_file' : 'jwks_uri'
  const reason = failure()
  if (reason !== undefined) {
    const isUnsigned = /no signing key/.test(reason)
    const isMisfit = /can be used for/.test(reason)
    const change = isUnsigned ? "Pomerium's signing_key" : isMisfit ? 'algorithms' : setting
    return [tell.error(reason, change)]
  }
  const names = kids().map((kid) => (kid === null ? 'one without a kid' : readable(kid)))
  return [
    tell.ok(`it holds keys for ${algorithms.join(', ')}: ${names.join(', ')}`),
    ...notes().map((note) => tell.warning(note, setting)),
  ]
}
