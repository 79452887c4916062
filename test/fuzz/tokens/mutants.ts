import type { SigningKey } from '../../helpers/keys.ts'
import { base64url, claimsOf, type Members, mint, NOW, seal, signerOf } from '../../helpers/mint.ts'
import type { Random } from '../random.ts'
import { CLAIMS, HEADERS } from './catalogues.ts'
import type { Keys } from './court.ts'
import { type Catalogue, editJsonText, editMembers, membersOf, objectText } from './json-text.ts'
import { editSignature, hmac } from './seals.ts'

/** A good token and what it was made of. */
export interface Good {
  readonly parts: readonly [string, string, string]
  readonly key: SigningKey
  readonly header: Members
  readonly claims: Members
}

export interface Workshop {
  readonly keys: Keys
  readonly goods: readonly Good[]
}

export interface Mutant {
  readonly kind: string
  readonly token: string
}

/** Of the keys that sign most tokens, and of all others. */
const TOKENS = { usual: 32, other: 2 }
/** One in so many names no key, so that all are tried. */
const NAMELESS = 8

export function createWorkshop(keys: Keys): Workshop {
  const goods = keys.known.flatMap((key, k) => {
    const length = keys.usual.includes(key) ? TOKENS.usual : TOKENS.other
    const isNameless = (i: number) => i % NAMELESS === NAMELESS - 1
    return Array.from({ length }, (_, i) => createGood(key, `token-${k}-${i}`, isNameless(i)))
  })
  return { keys, goods }
}

function createGood(key: SigningKey, jti: string, isNameless: boolean): Good {
  const claims = claimsOf({ jti, nbf: NOW })
  const kid = isNameless ? {} : { kid: key.kid }
  const header: Members = { alg: key.alg, ...kid, typ: 'JWT' }
  const token = mint({ key, header: JSON.stringify(header), claims })
  return { parts: token.split('.') as [string, string, string], key, header, claims }
}

type Mutate = (random: Random, good: Good, workshop: Workshop) => string

/**
 * Most die before a signature is checked, which costs more than all else: so there is time for many of both. Of each
 * hundred about twelve go as far as the signature, and half of these on to the claims.
 */
const KINDS: readonly (readonly [weight: number, kind: [name: string, mutate: Mutate]])[] = [
  [10, ['untouched', (_, { parts }) => parts.join('.')]],
  [600, ['header text', (random, { parts: [h, p, s] }) => `${editText(random, h)}.${p}.${s}`]],
  [8, ['any text', (random, { parts }) => editText(random, parts.join('.'))]],
  [110, ['header members', (random, good) => unsignedHeader(random, good, DECISIVE)]],
  [6, ['other header members', (random, good) => unsignedHeader(random, good, HEADERS)]],
  [110, ['base64', respellPart]],
  [75, ['parts', rearrange]],
  [6, ['swap', swapParts]],
  [12, ['signature', (random, good) => withSignature(good, editSignature(random, bytesOf(good)))]],
  [10, ['signed header', signedHeader]],
  [55, ['signed claims', signedClaims]],
  [10, ['signed text', signedText]],
  [5, ['other key', signedByOther]],
]

const { alg, kid, crit, b64, zip } = HEADERS
/** Members that are looked at before the signature. */
const DECISIVE = { alg, kid, crit, b64, zip } as Catalogue

/** A token made from a good one by one to three changes. */
export function createMutant(random: Random, workshop: Workshop): Mutant {
  const good = random.pick(workshop.goods)
  const [kind, mutate] = random.weighted(KINDS)
  const token = mutate(random, good, workshop)
  if (kind === 'untouched' || !random.chance(5)) return { kind, token }
  return { kind: `${kind} and text`, token: editText(random, token) }
}

const bytesOf = ({ parts }: Good): Buffer => Buffer.from(parts[2], 'base64url')
const withSignature = ({ parts: [h, p] }: Good, signature: Buffer): string =>
  `${h}.${p}.${base64url(signature)}`

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ODD = '.=+/ \t\r\n\0%,;:"\u00e9\u212a\u{1f600}~*'

/** One or two characters changed, added or removed; a run of them repeated, removed or turned round. */
function editText(random: Random, text: string): string {
  const at = random.int(text.length)
  const to = Math.min(text.length, at + 1 + random.int(8))
  const other = random.text(1, random.chance(75) ? CHARACTERS : ODD)
  const replaced = (run: string) => text.slice(0, at) + run + text.slice(to)
  return random.weighted<() => string>([
    [50, () => text.slice(0, at) + other + text.slice(at + 1)],
    [15, () => text.slice(0, at) + other + text.slice(at)],
    [15, () => text.slice(0, at) + text.slice(at + 1)],
    [5, () => replaced('')],
    [5, () => replaced(text.slice(at, to).repeat(2))],
    [5, () => replaced([...text.slice(at, to)].reverse().join(''))],
    [3, () => text.slice(0, at)],
    [2, () => text.slice(at)],
  ])()
}

function unsignedHeader(random: Random, { parts, header }: Good, catalogue: Catalogue): string {
  return `${base64url(objectText(editHeader(random, header, catalogue)))}.${parts[1]}.${parts[2]}`
}

function editHeader(random: Random, header: Members, catalogue: Catalogue) {
  const edited = editMembers(random, membersOf(header), catalogue)
  return random.chance(25) ? editMembers(random, edited, catalogue) : edited
}

/** The same bytes in another spelling of base64, or nearly. */
function respellPart(random: Random, { parts }: Good): string {
  const which = random.int(3)
  const part = parts[which] ?? ''
  const at = random.int(part.length + 1)
  const spelled = random.weighted<() => string>([
    [3, () => part + '='.repeat(1 + random.int(3))],
    [2, () => Buffer.from(part, 'base64url').toString('base64')],
    [1, () => part.slice(0, -1) + neighbour(part.slice(-1), random)],
    [
      3,
      () =>
        part.slice(0, at) +
        random.pick([' ', '\n', '\t', '\r\n', '=', '%20', '\0']) +
        part.slice(at),
    ],
    [1, () => part + random.text(1 + random.int(2), CHARACTERS)],
    [1, () => encodeURIComponent(Buffer.from(part, 'base64url').toString('base64'))],
    [1, () => Buffer.from(part, 'base64url').toString('hex')],
    [1, () => Buffer.from(part).toString('base64url')],
  ])()
  return parts.with(which, spelled).join('.')
}

/** A character that differs in the low bits, which may carry no byte. */
const neighbour = (character: string, random: Random): string =>
  CHARACTERS[(CHARACTERS.indexOf(character) & ~15) | random.int(16)] ?? 'A'

function rearrange(random: Random, { parts: [h, p, s] }: Good): string {
  return random.pick<() => string>([
    () => `${h}.${p}`,
    () => `${h}.${p}.`,
    () => `${h}..${s}`,
    () => `.${p}.${s}`,
    () => `${h}.${p}.${s}.${s}`,
    () => `${h}.${p}.${s}.`,
    () => `.${h}.${p}.${s}`,
    () => `${p}.${h}.${s}`,
    () => `${s}.${p}.${h}`,
    () => `${h}.${s}.${p}`,
    () => `${h}${p}${s}`,
    () => `${h} ${p} ${s}`,
    () => `${h}.${p}.${s},${h}.${p}.${s}`,
    () => `Bearer ${h}.${p}.${s}`,
    () => JSON.stringify({ protected: h, payload: p, signature: s }),
    () => '',
    () => '..',
    () => '.'.repeat(random.int(2_000)),
  ])()
}

function swapParts(random: Random, { parts: [h, p, s] }: Good, { goods }: Workshop): string {
  const other = random.pick(goods).parts
  return random.pick([`${other[0]}.${p}.${s}`, `${h}.${other[1]}.${s}`, `${h}.${p}.${other[2]}`])
}

const sign = (header: string | Buffer, claims: string | Buffer, key: SigningKey): string =>
  seal(base64url(header), base64url(claims), signerOf(key))

function signedHeader(random: Random, { header, claims, key }: Good): string {
  return sign(objectText(editHeader(random, header, HEADERS)), JSON.stringify(claims), key)
}

function signedClaims(random: Random, { header, claims, key }: Good): string {
  let members = membersOf(claims)
  for (let edits = 1 + random.int(2) * random.int(3); edits > 0; edits--) {
    members = editMembers(random, members, CLAIMS)
  }
  return sign(JSON.stringify(header), objectText(members), key)
}

function signedText(random: Random, { header, claims, key }: Good): string {
  const [head, body] = [JSON.stringify(header), objectText(membersOf(claims))]
  if (random.chance(25)) return sign(editJsonText(random, head), body, key)
  return sign(head, editJsonText(random, body), key)
}

function signedByOther(
  random: Random,
  { header, claims, parts }: Good,
  { keys }: Workshop,
): string {
  const body = JSON.stringify(claims)
  const key = random.pick([...keys.foreign, ...keys.known])
  if (random.chance(60)) return sign(JSON.stringify(header), body, key)
  const hash = random.pick(['sha256', 'sha384', 'sha512'])
  const alg = random.pick([`HS${hash.slice(3)}`, 'ES256', 'none'])
  const input = `${base64url(JSON.stringify({ ...header, alg }))}.${parts[1]}`
  const secret = random.pick<string | Buffer>([
    '',
    key.publicKey.export({ type: 'spki', format: 'pem' }),
    key.publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(key.publicKey.export({ format: 'jwk' })),
  ])
  return `${input}.${base64url(hmac(hash, secret, input))}`
}
