import type { Claims } from '../assertion/claims.ts'
import type { Decision } from '../decision.ts'
import { type Answer, PAGE_POLICY, PAGE_STYLE, prefersHtml } from './problem.ts'

export interface StatusOptions {
  readonly requestId: string
  /** The client's Accept field. */
  readonly accept: string | undefined
}

/** The visitor's own verified identity, for the visitor alone: the claims, and what the app is told. */
export function statusAnswer(decision: Decision, { requestId, accept }: StatusOptions): Answer {
  const claims = decision.verified?.claims
  const headers = headerPairs(decision.lines)
  const page = prefersHtml(accept)
  const body = page
    ? statusPage(claims, headers, requestId)
    : `${JSON.stringify({ verified: claims !== undefined, claims, headers: Object.fromEntries(headers), request_id: requestId })}\n`
  return {
    status: 200,
    headers: [
      'Content-Type',
      page ? 'text/html; charset=utf-8' : 'application/json',
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
      ...(page ? ['Content-Security-Policy', PAGE_POLICY] : []),
    ],
    body: Buffer.from(body),
  }
}

/** Identity headers as text. A passed-on assertion is not shown. */
function headerPairs(lines: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < lines.length; i += 2) {
    const value = Buffer.from(lines[i + 1] ?? '', 'latin1').toString()
    pairs.push([lines[i] ?? '', looksLikeJws(value) ? '(the assertion)' : value])
  }
  return pairs
}

const looksLikeJws = (value: string) =>
  /^(?:Bearer )?[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}$/.test(value)

function statusPage(
  claims: Claims | undefined,
  headers: readonly [string, string][],
  requestId: string,
): string {
  const verdict = claims === undefined ? 'No verified identity' : 'Verified'
  const rows = Object.entries(claims ?? {}).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${verdict}</title>
<style>${PAGE_STYLE}</style>
<main>
<h1>${verdict}</h1>
<h2>Claims</h2>
${table(rows)}
<h2>Headers sent to the app</h2>
${table(headers)}
<p>Request: <code>${requestId}</code></p>
</main>
</html>
`
}

function table(rows: readonly [string, string][]): string {
  if (rows.length === 0) return '<p>None.</p>'
  const line = ([name, value]: [string, string]) =>
    `<tr><th scope="row">${escapeHtml(name)}</th><td><code>${escapeHtml(value)}</code></td></tr>`
  return `<table>\n${rows.map(line).join('\n')}\n</table>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** For text and for attribute values in quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
