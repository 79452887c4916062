import { trimBlanks } from '../blanks.ts'
import type { Bytes, Milliseconds } from '../config/config.ts'
import type { HeaderLines } from './headers.ts'
import { UpstreamFault } from './upstream-fault.ts'

/** The head of an answer as the upstream sent it, one character per byte. */
export interface AnswerHead {
  readonly status: number
  /** The reason phrase; empty where it holds what may not be in one. It means nothing to a client (RFC 9112 §4). */
  readonly reason: string
  readonly lines: HeaderLines
}

/** How the end of a body is found (RFC 9112 §6.3); `close`: it ends with the connection. */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

export interface ParsedHead extends AnswerHead {
  readonly framing: Framing
  /** Of the body, where `framing` is `length`; at least 1. */
  readonly length: Bytes
  /** For how long the connection may be idle after this answer; `0`: it may not be used again. */
  readonly idleLimit: Milliseconds
}

/** Below what common app servers allow: Node's 5 s is the shortest of those that last longer than a moment. */
export const MAX_IDLE: Milliseconds = 4_000
/** An upstream that promises some seconds closes by its own clock: so much earlier the connection is not used any more. */
const KEEP_ALIVE_MARGIN: Milliseconds = 1_000

/** RFC 9112 §4 and §5 to the letter: no bare line feed, no folded line, no blank before a colon, no control character. */
const HEAD =
  /^HTTP\/1\.([01]) (\d{3})(?: ([^\r\n]*))?(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*)*$/

const PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/

const malformed = (detail: string) => new UpstreamFault('ANSWER_MALFORMED', detail)

/** The fields that say how the answer is framed and what becomes of its connection. */
interface Structure {
  length: string | undefined
  coding: string | undefined
  connection: string | undefined
  keepAlive: string
}

/**
 * Takes a head apart.
 *
 * @param text without the blank line at its end
 * @param method of the request
 * @throws UpstreamFault `ANSWER_MALFORMED`
 */
export function parseHead(text: string, method: string): ParsedHead {
  const parts = HEAD.exec(text)
  if (parts === null) throw malformed('not a head of HTTP/1')
  const [, minor, digits, phrase = ''] = parts
  const status = Number(digits)
  const lines: string[] = []
  const structure: Structure = {
    length: undefined,
    coding: undefined,
    connection: undefined,
    keepAlive: '',
  }
  for (let at = text.indexOf('\r\n'); at !== -1; ) {
    const start = at + 2
    at = text.indexOf('\r\n', start)
    const colon = text.indexOf(':', start)
    const name = text.slice(start, colon)
    const value = trimBlanks(text.slice(colon + 1, at === -1 ? text.length : at))
    lines.push(name, value)
    note(structure, name, value)
  }
  const fault = answerFault(status, structure.coding)
  if (fault !== undefined) throw fault
  const framing = framingOf(status, method, structure)
  const length = framing === 'length' ? Number(structure.length) : 0
  // Connections of HTTP/1.0 end with their answer, whatever they say.
  const idleLimit = minor === '1' ? idleLimitOf(structure) : 0
  const reason = PHRASE.test(phrase) ? phrase : ''
  return { status, reason, lines, framing, length, idleLimit }
}

/** Only where the length fits a name is looked at: this runs for every field of every answer. */
function note(structure: Structure, name: string, value: string): void {
  if (name.length === 14 && name.toLowerCase() === 'content-length') {
    if (structure.length !== undefined) throw malformed('content-length is repeated')
    structure.length = value
  } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
    structure.coding = joined(structure.coding, value)
  } else if (name.length === 10) {
    const known = name.toLowerCase()
    if (known === 'connection') structure.connection = joined(structure.connection, value)
    else if (known === 'keep-alive') structure.keepAlive = value
  }
}

/** Repeated fields are one list (RFC 9110 §5.2). */
const joined = (list: string | undefined, value: string): string =>
  list === undefined ? value : `${list}, ${value}`

function framingOf(status: number, method: string, { length, coding }: Structure): Framing {
  if (length !== undefined && coding !== undefined) throw malformed('framed twice')
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw malformed('content-length')
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (coding !== undefined) return 'chunked'
  if (length === undefined) return 'close'
  return Number(length) === 0 ? 'none' : 'length'
}

function idleLimitOf({ connection, keepAlive }: Structure): Milliseconds {
  if (connection?.split(',').some((option) => trimBlanks(option).toLowerCase() === 'close'))
    return 0
  const promised = /(?:^|[,; \t])timeout=(\d{1,9})/i.exec(keepAlive)?.[1]
  if (promised === undefined) return MAX_IDLE
  return Math.max(0, Math.min(MAX_IDLE, Number(promised) * 1_000 - KEEP_ALIVE_MARGIN))
}

/** Why an answer cannot be passed on as what it is; `undefined` for one that can. */
export function answerFault(status: number, coding: string | undefined): Error | undefined {
  // RFC 9110 §15: a parser takes any three digits.
  if (status < 100) return malformed('status code is not one')
  // Whoever believed it would take what follows for another protocol.
  if (status === 101) return malformed('switched protocols without being asked')
  // `chunked` alone is undone here: the client would get coded bytes that nobody says are coded.
  const isUndone = coding === undefined || trimBlanks(coding).toLowerCase() === 'chunked'
  return isUndone ? undefined : malformed('unknown transfer coding')
}
