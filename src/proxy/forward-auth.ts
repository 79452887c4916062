import type { Config } from '../config/config.ts'
import type { Decide, Decision } from '../decision.ts'
import { RejectedError } from '../errors.ts'
import { foldName } from '../identity/fold.ts'
import type { Answer } from '../pages/problem.ts'
import { checkHead, type RequestHead } from './gate.ts'
import type { Generation } from './generation.ts'
import type { HeaderLines } from './headers.ts'
import type { Recorder } from './recorder.ts'
import type { OpenTunnel } from './tunnel.ts'

/** Request line of the request that a proxy asks about. */
type RequestLine = Pick<RequestHead, 'method' | 'target'>

/** The fields in which proxies say it: Traefik and Caddy the first two, nginx the others. */
const FAMILIES = [
  { method: 'x-forwarded-method', target: 'x-forwarded-uri' },
  { method: 'x-original-method', target: 'x-original-uri' },
] as const
const NAMES: ReadonlySet<string> = new Set(FAMILIES.flatMap((family) => Object.values(family)))

/** What a parser lets through in a request line; a header field may hold more. */
const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/

const malformed = (reason: string) => new RejectedError('ERR_REQUEST_MALFORMED', { reason })

/**
 * The request line that the proxy in front reports; `undefined` where it reports none, and the request's own counts.
 *
 * @throws RejectedError ERR_REQUEST_MALFORMED for a field that is repeated, spelled otherwise or alone, and for fields of
 *   both families: one of them is then the client's.
 */
export function readOriginal(rawHeaders: HeaderLines): RequestLine | undefined {
  const found = reportsIn(rawHeaders)
  if (found.size === 0) return undefined
  if (found.size > 2) throw malformed('two reports of the original request')
  for (const family of FAMILIES) {
    const [method, target] = [found.get(family.method), found.get(family.target)]
    if (method !== undefined && target !== undefined) return checked({ method, target })
  }
  throw malformed('half a report of the original request')
}

function reportsIn(rawHeaders: HeaderLines): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i] ?? ''
    const name = foldName(sent)
    if (!NAMES.has(name)) continue
    if (sent.toLowerCase() !== name) throw malformed(`another spelling of ${name}`)
    if (found.has(name)) throw malformed(`${name} is repeated`)
    found.set(name, rawHeaders[i + 1] ?? '')
  }
  return found
}

/** The method, and what else a target must not hold, are for the gate to judge. */
function checked(line: RequestLine): RequestLine {
  if (!TARGET.test(line.target)) throw malformed('original target is not in origin form')
  return line
}

/** Decides about the request that the proxy in front reports. The one that asks must be well-formed, too. */
export function decideOriginal(decide: Decide): Decide {
  return async (head) => {
    const original = readOriginal(head.rawHeaders)
    if (original === undefined) return decide(head)
    checkHead(head)
    return decide({ ...head, ...original })
  }
}

/**
 * Refuses a request with another spelling of an identity or reserved header: the proxy that asks removes the spelling
 * which it was told, and might forward this one. Of `X-Forwarded-…`, too: nginx reads `X_Forwarded_Host` where its
 * settings say `$http_x_forwarded_host`. Names that begin with `X-Pomerium-` are let through: Pomerium itself sends
 * claims as `X-Pomerium-Claim-given_name`.
 *
 * @throws RejectedError ERR_REQUEST_MALFORMED, by the returned function
 */
export function refuseAliases(
  decide: Decide,
  { identityHeaders, reservedHeaders }: Pick<Config, 'identityHeaders' | 'reservedHeaders'>,
): Decide {
  const own = new Set(identityHeaders.map(({ header }) => header.toLowerCase()))
  const ownFolded = new Set([...own].map(foldName))
  const reserved = new Set(reservedHeaders.map(foldName))
  const isToBeNamed = (folded: string) => reserved.has(folded) || folded.startsWith('x-forwarded-')
  const isAlias = (name: string, folded: string) => {
    if (own.has(name)) return false
    if (folded.startsWith('x-pomerium-')) return !name.startsWith('x-pomerium-')
    return ownFolded.has(folded) || (name !== folded && isToBeNamed(folded))
  }
  return async (head) => {
    for (let i = 0; i < head.rawHeaders.length; i += 2) {
      const name = (head.rawHeaders[i] ?? '').toLowerCase()
      const folded = foldName(name)
      if (isAlias(name, folded)) throw malformed(`another spelling of ${folded}`)
    }
    return decide(head)
  }
}

/** The answer to a request that may pass: its identity headers and nothing else that anybody would use. */
export function passAnswer({ lines }: Decision): Answer {
  return {
    status: 200,
    headers: ['Cache-Control', 'no-store', ...oneLineEach(lines)],
    body: '',
  }
}

/** Of repeated lines a proxy may copy the first alone. One line with commas says the same (RFC 9110 §5.3). */
function oneLineEach(lines: HeaderLines): string[] {
  const values = new Map<string, string>()
  for (let i = 0; i < lines.length; i += 2) {
    const [name = '', value = ''] = lines.slice(i, i + 2)
    const before = values.get(name)
    values.set(name, before === undefined ? value : `${before},${value}`)
  }
  return [...values].flat()
}

/** What takes the place of forwarding under `mode: forward-auth`: what may pass is answered here. */
export function createForwardAuth(
  recorder: Recorder,
): Pick<Generation, 'recorder' | 'forward' | 'openTunnel' | 'headerRules' | 'answerOf'> {
  return {
    recorder: { ...recorder, begin: (head) => recorder.begin(reported(head)) },
    answerOf: passAnswer,
    forward: ({ refuse }) => refuse(malformed('nothing is forwarded here')),
    openTunnel,
    headerRules: NO_RULES,
  }
}

/** The record names the request that is asked about, and the asking one where that is not known. */
function reported<Head extends RequestLine & { readonly rawHeaders?: HeaderLines }>(head: Head) {
  try {
    return { ...head, ...readOriginal(head.rawHeaders ?? []) }
  } catch {
    return head
  }
}

// Handshakes stay plain requests here, but for Node below 22.21.
const openTunnel: OpenTunnel = ({ refuse, exchange }) => {
  exchange.decision = 'reject'
  refuse(malformed('a handshake where nothing is forwarded'))
}
const NO_RULES = { assertionHeader: '', isReserved: () => true, host: undefined }
