import type { Claims } from '../assertion/claims.ts'
import type { Decision } from '../decision.ts'
import { claimRows } from './claim-rows.ts'
import { hideTokens } from './hide-tokens.ts'
import { escapeHtml, htmlPage, type Mood, prose, section } from './html.ts'

export type HeaderPair = readonly [name: string, value: string]

export interface StatusPageOptions {
  /** In the order in which the app gets them, as text. */
  readonly headers: readonly HeaderPair[]
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Shows nothing but what a key of the key set vouches for; whoever is not verified sees that and no claim. */
export function statusPage(decision: Decision, options: StatusPageOptions): string {
  const { headers, requestId, now } = options
  const { verified, dropped } = decision
  const sections = [
    section('What the app is told about you', headerRows(headers, dropped)),
    ...(verified === undefined
      ? []
      : [section('What Pomerium says about you', claimRows(verified.claims, now / 1000))]),
    section('If something is wrong here', help(decision)),
  ]
  return htmlPage({ ...verdict(decision), sections }, { requestId, now })
}

interface Verdict {
  readonly mood: Mood
  readonly kicker: string
  readonly heading: string
  readonly lead: string
}

function verdict({ verified }: Decision): Verdict {
  if (verified === undefined)
    return {
      mood: 'unknown',
      kicker: 'Nobody is signed in',
      heading: 'No verified identity',
      lead: '<p>This address needs none. To the app you are a visitor without a name.</p>',
    }
  const proof = `Pomerium signed this, and claimgate has just checked it: the signature (${verified.alg}), that it is meant for this app, and that it is still valid.`
  if (verified.anonymous)
    return {
      mood: 'unknown',
      kicker: 'Nobody is signed in',
      heading: 'Verified: a visitor without a name',
      lead: `<p>${escapeHtml(proof)}</p>`,
    }
  const [name, ...others] = namesOf(verified.claims)
  const also = others.map((other) => `<bdi>${escapeHtml(other)}</bdi>`).join(', ')
  return {
    mood: 'good',
    kicker: 'You are signed in',
    heading: name === undefined ? 'Verified' : `Verified: ${name}`,
    lead: `${also === '' ? '' : `<p>${also}</p>\n`}<p>${escapeHtml(proof)}</p>`,
  }
}

/** How people know themselves, the best first. */
function namesOf(claims: Claims): string[] {
  const names = [claims['name'], claims['email'], claims['sub']].filter(
    (value): value is string => typeof value === 'string' && value.trim() !== '',
  )
  return [...new Set(names.map(hideTokens))].slice(0, 2)
}

function headerRows(headers: readonly HeaderPair[], dropped: number): string {
  if (headers.length === 0)
    return '<p>Nothing: no identity header is sent. Whatever a client sends under their names is removed.</p>'
  const rows = headers.map(
    ([name, value]) =>
      `<div><dt><code>${escapeHtml(name)}</code></dt><dd><code><bdi>${escapeHtml(value)}</bdi></code></dd></div>`,
  )
  const left =
    dropped === 0
      ? ''
      : `<p>${dropped} ${dropped === 1 ? 'item was' : 'items were'} left out of a list, because the separator is part of ${dropped === 1 ? 'it' : 'them'}.</p>\n`
  return `<p class="quiet">These headers, and no others, tell the app who you are. They are shown as they are sent.</p>
${left}<dl>
${rows.join('\n')}
</dl>`
}

function help({ verified }: Decision): string {
  const visitor =
    verified === undefined || verified.anonymous
      ? 'If you expected to be signed in, open another page of this app and sign in there.'
      : 'Is this not you, or are groups missing? Sign out and in again: what you see was said when you signed in. If it is still wrong, tell the people who run this app.'
  const operator =
    verified === undefined
      ? 'This path is in `public_paths`, or passes as a preflight; an assertion that does not verify counts as none here.'
      : 'A claim that is absent comes from the identity provider, or wants its name in `jwt_claims_headers` of Pomerium. Which claim goes into which header is set by `preset` and `identity_headers`.'
  return `<p>${prose(visitor)}</p>\n<p class="quiet">For the people who run this app: ${prose(operator)}</p>`
}
