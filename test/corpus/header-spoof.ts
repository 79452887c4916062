import type { IdentityHeader } from '../../src/config/config.ts'
import { type BlackBox, fieldsOf, type Outcome } from '../helpers/black-box.ts'
import { header, requestBytes } from '../helpers/claimgate.ts'
import type { Case } from '../helpers/corpus.ts'
import { mint, NOW } from '../helpers/mint.ts'

export const FILE = 'header-spoof.json'

/** The corpus of forged headers. */
export interface Spoofs {
  readonly cases: readonly Case[]
  readonly sut_config: {
    readonly assertion_header: string
    readonly claim_headers: Readonly<Record<string, readonly string[]>>
    readonly token_claims: Readonly<Record<string, unknown>>
  }
}

/** The identity headers that the corpus is made for. */
export const identityHeadersOf = (sut: Spoofs['sut_config']): IdentityHeader[] =>
  Object.entries(sut.claim_headers).flatMap(([claim, names]) =>
    names.map((name) => header(name, claim)),
  )

/** The oracle's own folding, written once more. */
export function fold(name: string): string {
  return [...name.toLowerCase()].map((c) => (/[a-z0-9]/.test(c) ? c : '-')).join('')
}

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** The request of a case. */
export function bytesOf(
  recipe: Case,
  { token_claims: claims }: Spoofs['sut_config'],
  box: BlackBox,
) {
  const { key, assertion } = box.claimgate
  const tokens: Readonly<Record<string, () => string>> = {
    '{{ASSERTION}}': () => assertion(claims),
    '{{ASSERTION_BOB}}': () => assertion({ ...claims, sub: 'user-2', email: 'bob@example.com' }),
    '{{ASSERTION_EXPIRED}}': () => mint({ key, claims, now: NOW - 3600 }),
  }
  const spoofs = (recipe['lines'] as readonly string[]).map((line) =>
    line.replace(/\{\{ASSERTION\w*\}\}/, (name) => tokens[name]?.() ?? name),
  )
  const lines = [...(recipe['ws'] === true ? HANDSHAKE : []), ...spoofs]
  return requestBytes(recipe['token'] === 'valid' ? assertion(claims) : undefined, { lines })
}

/** What is wrong with what came of a case. */
export function faultsOf(recipe: Case, sut: Spoofs['sut_config'], outcome: Outcome): string[] {
  const { status, upstream } = outcome
  if (status === 200 || status === 101) {
    if (recipe.outcome === 'reject') return [`forwarded with ${status}`]
    return forwardedFaults(recipe, sut, upstream)
  }
  const wanted = (recipe['status'] as readonly number[] | undefined) ?? [400, 401, 431]
  const faults = wanted.includes(status) ? [] : [`refused with ${status}`]
  if (recipe.outcome === 'forward') faults.push('not forwarded')
  if (upstream !== '') faults.push('refused and yet forwarded')
  return faults
}

function forwardedFaults(recipe: Case, sut: Spoofs['sut_config'], upstream: string): string[] {
  const faults: string[] = []
  const heads = upstream.split('\r\n\r\n').length - 1
  if (heads !== 1) faults.push(`forwarded ${heads} times`)
  const fields = fieldsOf(upstream)
  const wanted = wantedFields(recipe, sut)
  const own = new Set([...wanted.keys()].map(fold))
  for (const [name, values] of fields) {
    const isOurs = fold(name).startsWith('x-pomerium-') || own.has(fold(name))
    if (isOurs && values.some((value) => value.includes('mallory'))) faults.push(`${name} passes`)
    if (isOurs && !wanted.has(name)) faults.push(`${name} is not ours`)
  }
  for (const [name, value] of wanted) {
    if (JSON.stringify(fields.get(name)) !== JSON.stringify([value]))
      faults.push(`${name} is wrong`)
  }
  for (const name of ['proxy-authorization', 'te', 'keep-alive', 'proxy-connection']) {
    if (fields.has(name)) faults.push(`${name} is hop-by-hop`)
  }
  return faults
}

/** Exactly these lines, each once: the identity headers and what the case must have. */
function wantedFields(recipe: Case, { claim_headers, token_claims }: Spoofs['sut_config']) {
  const wanted = new Map<string, string>()
  for (const [claim, headers] of Object.entries(claim_headers)) {
    const value = [token_claims[claim]].flat().join(',')
    for (const header of headers) wanted.set(header.toLowerCase(), value)
  }
  const { must_have: more = {} } = (recipe['upstream'] ?? {}) as { must_have?: object }
  for (const [name, value] of Object.entries(more)) wanted.set(name, value)
  return wanted
}
