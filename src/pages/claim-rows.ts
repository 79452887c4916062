import type { Claims } from '../assertion/claims.ts'
import { hideTokens, withoutTokens } from './hide-tokens.ts'
import { escapeHtml } from './html.ts'
import { absoluteTime, relativeTime } from './times.ts'

/** In the order of the page; claims that have no row here follow in their own order. */
const KNOWN: Readonly<Record<string, string>> = {
  name: '',
  email: '',
  groups: '',
  sub: 'id of the user',
  user: 'id of the user',
  iat: 'issued',
  exp: 'expires',
  nbf: 'not valid before',
  auth_time: 'signed in',
  iss: 'issued by',
  aud: 'meant for',
  sid: 'session',
  jti: 'id of this assertion',
}

const TIMES: ReadonlySet<string> = new Set(['iat', 'exp', 'nbf', 'auth_time', 'updated_at'])

/** Verified claims as a definition list. `now` is in seconds since the epoch. */
export function claimRows(claims: Claims, now: number): string {
  const known = Object.keys(KNOWN).filter((name) => Object.hasOwn(claims, name))
  const others = Object.keys(claims).filter((name) => !Object.hasOwn(KNOWN, name))
  const rows = [...known, ...others].map(
    (name) =>
      `<div><dt><code><bdi>${escapeHtml(name)}</bdi></code>${label(name)}</dt><dd>${value(name, claims[name], now)}</dd></div>`,
  )
  return rows.length === 0 ? '<p>Nothing.</p>' : `<dl>\n${rows.join('\n')}\n</dl>`
}

function label(name: string): string {
  const words = Object.hasOwn(KNOWN, name) ? (KNOWN[name] ?? '') : ''
  return words === '' ? '' : ` <small>${escapeHtml(words)}</small>`
}

function value(name: string, claim: unknown, now: number): string {
  if (typeof claim === 'number' && TIMES.has(name)) return time(claim, now)
  if (claim === '' || claim === null) return EMPTY
  if (Array.isArray(claim) && claim.every((item) => typeof item === 'string')) return list(claim)
  return code(typeof claim === 'string' ? hideTokens(claim) : JSON.stringify(withoutTokens(claim)))
}

const EMPTY = '<small>empty</small>'

const code = (text: string): string => `<code><bdi>${escapeHtml(text)}</bdi></code>`

function list(items: readonly string[]): string {
  if (items.length === 0) return EMPTY
  return `<ul>${items.map((item) => `<li>${code(hideTokens(item))}</li>`).join('')}</ul>`
}

function time(seconds: number, now: number): string {
  const text = absoluteTime(seconds)
  if (text === undefined) return code(String(seconds))
  return `${relativeTime(seconds, now)} <small><time datetime="${text.replace(' UTC', 'Z').replace(' ', 'T')}">${text}</time></small>`
}
