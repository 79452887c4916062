import { type IncomingMessage, METHODS } from 'node:http'
import { trimBlanks } from '../blanks.ts'
import { RejectedError } from '../errors.ts'
import { foldName } from '../identity/fold.ts'
import { createShapes } from '../identity/shapes.ts'
import { bodyFollows, isWebSocketUpgrade } from './headers.ts'

/** What the parser gives of a request before any decision; `rawHeaders` is name, value, name, value, … */
export interface RequestHead {
  readonly method: string
  /** The request target as the client sent it. */
  readonly target: string
  /** As in the request line: `1.1`. */
  readonly httpVersion: string
  readonly rawHeaders: readonly string[]
}

export function headOf(request: IncomingMessage): RequestHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders,
  }
}

/** Envoy's limit under Pomerium; more lines than that come from nobody who means well. */
export const MAX_HEADER_LINES = 1000

const METHOD_NAMES: ReadonlySet<string> = new Set(METHODS)
// CONNECT would open a tunnel that nobody decides about; TRACE would echo identity headers to the client.
export const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE'])

// RFC 3986 §3.2.2 and §3.2.3: a registered name or IPv4 address, or an IP literal in brackets; then a port.
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/

/**
 * Names on which framing and routing rest: no second field of them, and no other spelling may reach an app that folds
 * names. `Connection` and `TE` may be repeated and have no other spelling.
 */
const STRUCTURAL: ReadonlyMap<string, keyof Structure> = new Map([
  ['content-length', 'contentLength'],
  ['expect', 'expect'],
  ['host', 'host'],
  ['trailer', 'trailer'],
  ['transfer-encoding', 'transferEncoding'],
  ['upgrade', 'upgrade'],
])

const mayBeStructural = createShapes(STRUCTURAL.keys())

const malformed = (reason: string, status = 400) =>
  new RejectedError('ERR_REQUEST_MALFORMED', { status, reason })

interface Structure {
  host: string | undefined
  contentLength: string | undefined
  transferEncoding: string | undefined
  expect: string | undefined
  trailer: string | undefined
  upgrade: string | undefined
}

/**
 * The checks that Node's parser does not make, before anything else looks at the request.
 *
 * @throws RejectedError ERR_REQUEST_MALFORMED with the status that fits: 400, 405 (method), 417 (Expect),
 *   431 (too many header lines), 501 (transfer coding), 505 (version).
 */
export function checkHead(head: RequestHead): void {
  checkRequestLine(head)
  const structure = readStructure(head.rawHeaders)
  if (structure.host === undefined) throw malformed('host is absent')
  if (!HOST.test(structure.host)) throw malformed('host is not a valid authority')
  checkFraming(head, structure)
  if (structure.expect !== undefined && structure.expect.toLowerCase() !== '100-continue')
    throw malformed('expectation is unknown', 417)
  if (structure.upgrade !== undefined) checkUpgrade(head, structure)
}

function checkRequestLine({ method, target, httpVersion }: RequestHead): void {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    throw malformed('version is not 1.0 or 1.1', 505)
  if (REFUSED_METHODS.has(method)) throw malformed('method is refused', 405)
  if (!METHOD_NAMES.has(method)) throw malformed('method is unknown')
  // RFC 9112 §3.2.1: only the origin form is meant for a server behind a gateway.
  if (!target.startsWith('/')) throw malformed('target is not in origin form')
  if (target.includes('#')) throw malformed('target holds a fragment')
  if (pathOf(target).includes('\\')) throw malformed('path holds a backslash')
}

/** The part of a request target before its query, as bytes; nothing is decoded. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** Where the value of a name belongs on which framing or routing rests; another spelling of such a name is refused. */
function placeOf(sent: string): keyof Structure | undefined {
  if (!mayBeStructural(sent)) return undefined
  const place = STRUCTURAL.get(sent.toLowerCase())
  if (place !== undefined) return place
  if (STRUCTURAL.has(foldName(sent))) throw malformed(`another spelling of ${foldName(sent)}`)
  return undefined
}

function readStructure(rawHeaders: readonly string[]): Structure {
  if (rawHeaders.length > MAX_HEADER_LINES * 2) throw malformed('too many header lines', 431)
  const structure: Structure = {
    host: undefined,
    contentLength: undefined,
    transferEncoding: undefined,
    expect: undefined,
    trailer: undefined,
    upgrade: undefined,
  }
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    const place = placeOf(name)
    if (place === undefined) continue
    if (structure[place] !== undefined) throw malformed(`${name.toLowerCase()} is repeated`)
    structure[place] = rawHeaders[i + 1] ?? ''
  }
  return structure
}

/** RFC 9112 §6.1 and §6.3: one reading of where the body ends, or none. */
function checkFraming({ httpVersion }: RequestHead, structure: Structure): void {
  const { contentLength, transferEncoding } = structure
  if (contentLength !== undefined) {
    if (!/^\d+$/.test(contentLength)) throw malformed('content-length is not a number')
    if (!Number.isSafeInteger(Number(contentLength))) throw malformed('content-length is too large')
  }
  if (transferEncoding === undefined) return
  if (contentLength !== undefined) throw malformed('content-length and transfer-encoding')
  if (httpVersion === '1.0') throw malformed('transfer-encoding in HTTP/1.0')
  const codings = transferEncoding.split(',').map((coding) => trimBlanks(coding).toLowerCase())
  if (codings.some((coding) => coding !== 'chunked')) throw malformed('unknown coding', 501)
  if (codings.length > 1) throw malformed('chunked twice')
}

/** RFC 6455 §4.1: a handshake is a GET of HTTP/1.1 without a body. Other upgrades are ignored later (RFC 9110 §7.8). */
function checkUpgrade({ method, httpVersion }: RequestHead, structure: Structure): void {
  if (trimBlanks(structure.upgrade ?? '').toLowerCase() !== 'websocket') return
  if (method !== 'GET') throw malformed('websocket handshake is not a GET')
  if (httpVersion !== '1.1') throw malformed('websocket handshake is not HTTP/1.1')
  if (structure.transferEncoding !== undefined || (structure.contentLength ?? '0') !== '0')
    throw malformed('websocket handshake has a body')
}

/** Whether a request is a well-formed WebSocket handshake (RFC 6455 §4.1), which alone can become a tunnel. */
export function isHandshake({ method, httpVersion, rawHeaders }: RequestHead): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    isWebSocketUpgrade(rawHeaders) &&
    !bodyFollows(rawHeaders)
  )
}
