import { trimBlanks } from '../blanks.ts'
import type { UpstreamAddress } from '../config/config.ts'
import { createShapes } from '../identity/shapes.ts'

/** A flat list of header fields as on the wire: name, value, name, value, … with one character per byte. */
export type HeaderLines = readonly string[]

export interface RequestHeaderRules {
  /** In lower case: removing it is nothing to count, since every request carries it. */
  readonly assertionHeader: string
  /** Whether a client's field must not reach the upstream. */
  readonly isReserved: (name: string, value: string) => boolean
  /** Replaces the client's Host; `undefined` keeps it. */
  readonly host: string | undefined
}

export interface UpstreamHeaders {
  readonly lines: string[]
  /** How many of the client's fields were reserved ones, without the assertion. */
  readonly stripped: number
}

/** RFC 9110 §7.6.1 and its predecessors: fields about one connection. `expect` is answered here, after the decision. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
])

const mayBeHopByHop = createShapes(HOP_BY_HOP)

/** `Connection` may not remove these: the message would change its meaning or its frame. */
const NOT_NOMINATED: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding'])

/** An answer is framed anew: its client may speak another version of HTTP than the upstream. */
const ANSWER_FRAMING = 'transfer-encoding'

/**
 * The fields for the upstream: the client's in their order and spelling, less those of this connection, those that
 * `Connection` names and the reserved ones; then `added`, which nothing of the client can touch any more.
 */
export function upstreamHeaders(
  rawHeaders: HeaderLines,
  rules: RequestHeaderRules,
  added: HeaderLines,
): UpstreamHeaders {
  const nominated = nominatedNames(rawHeaders)
  const lines: string[] = []
  let stripped = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    const value = rawHeaders[i + 1] ?? ''
    if (isAboutConnection(name, nominated)) continue
    if (!rules.isReserved(name, value)) lines.push(name, valueFor(name, value, rules))
    else if (name.toLowerCase() !== rules.assertionHeader) stripped++
  }
  for (const part of added) lines.push(part)
  return { lines, stripped }
}

const valueFor = (name: string, value: string, { host }: RequestHeaderRules) =>
  host !== undefined && name.toLowerCase() === 'host' ? host : value

function isAboutConnection(name: string, nominated: ReadonlySet<string> | undefined): boolean {
  if (nominated?.has(name.toLowerCase())) return true
  return mayBeHopByHop(name) && HOP_BY_HOP.has(name.toLowerCase())
}

/** The upstream's fields for the client, less those about the connection to the upstream. */
export function downstreamHeaders(rawHeaders: HeaderLines): string[] {
  const nominated = nominatedNames(rawHeaders)
  const lines: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length === ANSWER_FRAMING.length && name.toLowerCase() === ANSWER_FRAMING) continue
    if (isAboutConnection(name, nominated)) continue
    lines.push(name, rawHeaders[i + 1] ?? '')
  }
  return lines
}

/** The names that `Connection` fields list, in lower case; `undefined` for the usual case of none of interest. */
function nominatedNames(rawHeaders: HeaderLines): Set<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue
    for (const option of listItems(rawHeaders[i + 1] ?? '')) {
      if (option === '' || HOP_BY_HOP.has(option) || NOT_NOMINATED.has(option)) continue
      names ??= new Set()
      names.add(option)
    }
  }
  return names
}

const listItems = (value: string): string[] =>
  value.split(',').map((item) => trimBlanks(item).toLowerCase())

/** The value of the only field `name` (in lower case), or `undefined`. The gate has refused repeated ones that matter. */
export function headerValue(rawHeaders: HeaderLines, name: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i]
    if (candidate?.length === name.length && candidate.toLowerCase() === name)
      return rawHeaders[i + 1]
  }
  return undefined
}

/** All values of `name` (in lower case) as one list (RFC 9110 §5.2); `undefined` without the field. */
export function listedValue(rawHeaders: HeaderLines, name: string): string | undefined {
  const values = rawHeaders.filter(
    (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name,
  )
  return values.length === 0 ? undefined : values.join(', ')
}

/** Whether `Connection` lists `upgrade` and `Upgrade` is `websocket`. */
export function isWebSocketUpgrade(rawHeaders: HeaderLines): boolean {
  const upgrade = headerValue(rawHeaders, 'upgrade') ?? ''
  if (trimBlanks(upgrade).toLowerCase() !== 'websocket') return false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'connection') continue
    if (listItems(rawHeaders[i + 1] ?? '').includes('upgrade')) return true
  }
  return false
}

/** The Host for the upstream under `preserve_host: false`: its authority, without a default port. */
export function upstreamHost(upstream: UpstreamAddress): string {
  if (upstream.protocol === 'unix:') return 'localhost'
  const hostname = upstream.hostname.includes(':') ? `[${upstream.hostname}]` : upstream.hostname
  const isDefault = upstream.port === (upstream.protocol === 'https:' ? 443 : 80)
  return isDefault ? hostname : `${hostname}:${upstream.port}`
}

/** Whether a body comes after the head (RFC 9112 §6.3). */
export function bodyFollows(rawHeaders: HeaderLines): boolean {
  if (headerValue(rawHeaders, 'transfer-encoding') !== undefined) return true
  return Number(headerValue(rawHeaders, 'content-length') ?? 0) > 0
}
