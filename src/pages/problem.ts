import { STATUS_CODES } from 'node:http'
import { CODES, type Code, type RejectedError } from '../errors.ts'
import { PAGE_HEADERS } from './html.ts'
import { refusalPage } from './refusal-page.ts'

/** An answer of our own, ready to be written to a response or a bare socket. */
export interface Answer {
  readonly status: number
  /** Flat list: name, value, name, value, … without framing fields. */
  readonly headers: readonly string[]
  /** Goes out in UTF-8. */
  readonly body: string
}

export interface ProblemOptions {
  readonly requestId: string
  /** The client's Accept field. */
  readonly accept: string | undefined
  /** `none`: the answer does not say which check failed. */
  readonly detail: 'code' | 'none'
  /** Wall clock, milliseconds since the epoch. */
  readonly now?: number
}

/** Seconds after which a client may try again, for every 503. */
const RETRY_AFTER = '5'

const TYPE_PREFIX = 'urn:claimgate:error:'

/** The answer to a refused request: RFC 9457 problem details, or a small page for a browser. */
export function problemAnswer(error: RejectedError, options: ProblemOptions): Answer {
  const { status } = error
  const code = options.detail === 'code' ? error.code : undefined
  const title = code === undefined ? (STATUS_CODES[status] ?? 'Refused') : CODES[code].title
  const page = prefersHtml(options.accept)
  const body = page
    ? refusalPage(error, { now: Date.now(), ...options })
    : problemJson(status, title, code, options.requestId)
  return {
    status,
    headers: [
      'Content-Type',
      page ? 'text/html; charset=utf-8' : 'application/problem+json',
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
      'X-Request-Id',
      options.requestId,
      ...(page ? PAGE_HEADERS : []),
      ...(status === 401 ? ['WWW-Authenticate', challenge(error.code, code)] : []),
      ...(status === 503 ? ['Retry-After', RETRY_AFTER] : []),
      ...(status === 405 ? ['Allow', error.allow ?? FORWARDED_METHODS] : []),
    ],
    body,
  }
}

/** The usual ones among all that are forwarded: any but CONNECT and TRACE. */
const FORWARDED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

/** The answer to a fault of ours: it says nothing but that. */
export function internalErrorAnswer(requestId: string): Answer {
  return {
    status: 500,
    headers: [
      'Content-Type',
      'application/problem+json',
      'Cache-Control',
      'no-store',
      'X-Request-Id',
      requestId,
    ],
    body: problemJson(500, 'Internal Server Error', undefined, requestId),
  }
}

/** RFC 6750 §3: no error attribute when the request carried no credential at all. */
function challenge(code: Code, shown: Code | undefined): string {
  if (code === 'ERR_ASSERTION_MISSING' || shown === undefined) return 'Bearer realm="claimgate"'
  return `Bearer realm="claimgate", error="invalid_token", error_description="${shown}"`
}

function problemJson(
  status: number,
  title: string,
  code: Code | undefined,
  requestId: string,
): string {
  const type = code === undefined ? 'about:blank' : `${TYPE_PREFIX}${code}`
  return `${JSON.stringify({ type, title, status, code, request_id: requestId })}\n`
}

/** Media types of ours that are no page, from the most specific range that names them to the least. */
const JSON_RANGES = [['application/problem+json', 'application/json'], ['application/*'], ['*/*']]

/**
 * Whether `Accept` ranks HTML above JSON (RFC 9110 §12.5.1). Only an explicit text/html counts for HTML: `*` is what
 * programs send that do not care.
 */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept !== last.accept) last = { accept, isHtml: ranksHtml(accept) }
  return last.isHtml
}

/** Whoever sends many bad requests sends the same field with each. */
let last: { readonly accept: string | undefined; readonly isHtml: boolean } = {
  accept: undefined,
  isHtml: false,
}

function ranksHtml(accept: string | undefined): boolean {
  const weights = new Map<string, number>()
  for (const range of (accept ?? '').slice(0, 1024).toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    weights.set(type, quality === undefined ? 1 : Number(quality.slice(2)) || 0)
  }
  const html = weights.get('text/html') ?? 0
  const named = JSON_RANGES.find((ranges) => ranges.some((range) => weights.has(range))) ?? []
  return html > 0 && html >= Math.max(0, ...named.map((range) => weights.get(range) ?? 0))
}
