import type { Decision } from '../decision.ts'
import { hideTokens, withoutTokens } from './hide-tokens.ts'
import { PAGE_HEADERS } from './html.ts'
import { type Answer, prefersHtml } from './problem.ts'
import { type HeaderPair, statusPage } from './status-page.ts'

export interface StatusOptions {
  readonly requestId: string
  /** The client's Accept field. */
  readonly accept: string | undefined
  /** Wall clock, milliseconds since the epoch. */
  readonly now?: number
}

/** The visitor's own verified identity, for the visitor alone: the claims, and what the app is told. */
export function statusAnswer(
  decision: Decision,
  { requestId, accept, now = Date.now() }: StatusOptions,
): Answer {
  const claims = withoutTokens(decision.verified?.claims)
  const headers = headerPairs(decision.lines)
  const page = prefersHtml(accept)
  const body = page
    ? statusPage(decision, { headers, requestId, now })
    : `${JSON.stringify({ verified: claims !== undefined, claims, headers: byName(headers), request_id: requestId })}\n`
  return {
    status: 200,
    headers: [
      'Content-Type',
      page ? 'text/html; charset=utf-8' : 'application/json',
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
      'X-Request-Id',
      requestId,
      ...(page ? PAGE_HEADERS : []),
    ],
    body,
  }
}

/** Identity headers as text. A passed-on assertion is not shown. */
function headerPairs(lines: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = []
  for (let i = 0; i < lines.length; i += 2) {
    const value = Buffer.from(lines[i + 1] ?? '', 'latin1').toString()
    pairs.push([lines[i] ?? '', hideTokens(value)])
  }
  return pairs
}

/** A name that is sent more than once has a list of its values. */
function byName(pairs: readonly HeaderPair[]): Record<string, string | string[]> {
  const names = [...new Set(pairs.map(([name]) => name))]
  const valuesOf = (name: string) =>
    pairs.filter((pair) => pair[0] === name).map(([, value]) => value)
  return Object.fromEntries(
    names.map((name) => {
      const values = valuesOf(name)
      return [name, values.length === 1 ? (values[0] ?? '') : values]
    }),
  )
}
