// The rules on names and values once more, by characters and lists instead of patterns, and without the program's code.
import type { Config, IdentityHeader } from '../../../src/config/config.ts'
import { decode } from '../../helpers/decode.ts'

export type Line = readonly [name: string, value: string]

export interface Rules
  extends Pick<Config, 'identityHeaders' | 'reservedHeaders' | 'assertionHeader'> {
  readonly host: string | undefined
}

const ALPHANUMERIC = new Set('abcdefghijklmnopqrstuvwxyz0123456789')

/** The name as a server that makes variables of it sees it: `HTTP_X_A`. */
export function variableOf(name: string): string {
  let text = ''
  for (const character of name) {
    const lower = character >= 'A' && character <= 'Z' ? character.toLowerCase() : character
    text += ALPHANUMERIC.has(lower) ? lower : '_'
  }
  return text
}

const HOP =
  'connection expect keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer upgrade'.split(
    ' ',
  )

/** What a client may not take away by naming it. */
const FRAME = ['host', 'content-length', 'transfer-encoding']

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** The client's fields that reach the upstream, and how many of the others were reserved ones. */
export function survivors(sent: readonly Line[], rules: Rules) {
  const nominated = sent
    .filter(([name]) => same(name, 'connection'))
    .flatMap(([, value]) => value.split(',').map(trimmed))
    .filter((name) => !FRAME.some((one) => same(one, name)))
  const lines: Line[] = []
  let stripped = 0
  for (const [name, value] of sent) {
    if ([...HOP, ...nominated].some((hop) => same(hop, name))) continue
    if (!isReserved(name, rules) && !isSession(name, value)) {
      lines.push([name, same(name, 'host') ? (rules.host ?? value) : value])
    } else if (!same(name, rules.assertionHeader)) stripped++
  }
  return { lines, stripped }
}

/** Whether a server could take the field for one that only Pomerium or this program may set. */
export function isReserved(name: string, rules: Rules): boolean {
  const variable = variableOf(name)
  return (
    variable === 'x_pomerium' ||
    variable.startsWith('x_pomerium_') ||
    [
      rules.assertionHeader,
      ...rules.reservedHeaders,
      ...rules.identityHeaders.map(({ header }) => header),
    ].some((one) => variableOf(one) === variable)
  )
}

function isSession(name: string, value: string): boolean {
  const [scheme = '', ...rest] = trimmed(value).split(/[ \t]/)
  const credentials = rest.find((part) => part !== '') ?? ''
  return (
    same(name, 'authorization') &&
    same(scheme, 'bearer') &&
    same(credentials.slice(0, 9), 'pomerium-')
  )
}

function trimmed(text: string): string {
  const isBlank = (character: string | undefined) => character === ' ' || character === '\t'
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text[start])) start++
  while (end > start && isBlank(text[end - 1])) end--
  return text.slice(start, end)
}

/** The one assertion of a request, or the code of the refusal. */
export function assertionOf(sent: readonly Line[], header: string): string {
  const lines = sent.filter(([name]) => variableOf(name) === variableOf(header))
  const own = lines.find(([name]) => same(name, header))
  if (own === undefined) return 'ERR_ASSERTION_MISSING'
  if (lines.length > 1) return 'ERR_ASSERTION_DUPLICATE'
  let value = trimmed(own[1])
  if (same(header, 'authorization') && value !== '') {
    const [scheme = '', ...rest] = value.split(' ')
    if (!same(scheme, 'bearer')) return 'ERR_ASSERTION_MISSING'
    value = rest.join(' ')
  }
  if (value === '') return 'ERR_ASSERTION_EMPTY'
  const parts = value.split('.')
  const isForm = parts.length === 3 && parts[0] !== '' && parts.every(isBase64url)
  if (isForm) return parts.every(isCanonical) ? value : 'ERR_ASSERTION_MALFORMED'
  const isJoined =
    value.includes(',') && [...value].every((c) => ', \t.'.includes(c) || isBase64url(c))
  return isJoined ? 'ERR_ASSERTION_DUPLICATE' : 'ERR_ASSERTION_MALFORMED'
}

/** RFC 4648 §3.5: no bits are left over. */
const isCanonical = (text: string): boolean =>
  Buffer.from(text, 'base64url').toString('base64url') === text

const isBase64url = (text: string): boolean =>
  [...text.toLowerCase()].every((c) => ALPHANUMERIC.has(c) || c === '-' || c === '_') &&
  [...text].every((c) => c < '\x80')

/** The values a claim has in a header, as a reader of its encoding reads them; `refused` where it cannot be said. */
export function valuesOf(claim: unknown, header: IdentityHeader): readonly string[] | 'refused' {
  const isList = Array.isArray(claim)
  const items = (isList ? claim : [claim]).filter(
    (item) => item !== undefined && item !== null && item !== '',
  )
  if (items.length === 0) return []
  if (header.separator === 'json') {
    return stringsIn(claim).every(isSayable) ? [JSON.stringify(claim)] : 'refused'
  }
  const texts = items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
  if (items.some((item) => typeof item === 'object') || !texts.every(isSayable)) return 'refused'
  const delimiter = { space: ' ', repeat: ',', ',': ',', '|': '|' }[header.separator]
  const kept = isList ? texts.filter((text) => !text.includes(delimiter)) : texts
  if (header.encoding === 'ascii' && kept.some((text) => /[^\x20-\x7e]/.test(text)))
    return 'refused'
  return kept.length === 0 || header.separator === 'repeat' ? kept : [kept.join(delimiter)]
}

/** Every text inside a claim, names too. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [name, ...stringsIn(member)])
}

/** No control character, no half of a pair, no white space at an end. */
function isSayable(text: string): boolean {
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return false
    if (point >= 0xd800 && point < 0xe000) return false
  }
  return !/^[\s\ufeff]|[\s\ufeff]$/.test(text)
}

/** What a reader makes of a value on the wire; it must be bytes, and none of them a control character. */
export function readValue(bytes: string, header: IdentityHeader): string | undefined {
  for (const byte of bytes) {
    const unit = byte.charCodeAt(0)
    if (unit < 0x20 || unit === 0x7f || unit > 0xff) return undefined
  }
  const text = decode(bytes, header.encoding)
  return header.separator === 'json' ? JSON.stringify(JSON.parse(text)) : text
}
