import {
  ENCODINGS,
  type Encoding,
  type IdentityHeader,
  SEPARATORS,
} from '../../../src/config/config.ts'
import type { Random } from '../random.ts'
import type { Line, Rules } from './model.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const MARKS = "!#$%&'*+-.^_`|~"
/** RFC 9110 section 5.6.2. */
const TOKEN = LETTERS + MARKS

const APP_HEADERS = ['x_webauth_user', 'remote-user', 'x-forwarded-groups', 'x-auth-email']
const COMMON = [
  'Accept',
  'Cookie',
  'User-Agent',
  'X-Forwarded-For',
  'Content-Type',
  'Origin',
  'X-A',
]
const HOP = [
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Expect',
  'Proxy-Authorization',
]

/** Rules as an operator may set them: identity headers of any name, encoding and separator. */
export function createRules(random: Random): Rules {
  const names = new Map<string, string>()
  for (let i = 1 + random.int(5); i > 0; i--) {
    const name = random.pick([
      'X-WEBAUTH-USER',
      'X-Pomerium-Claim-Email',
      'Remote-Groups',
      createName(random),
    ])
    names.set(name.replace(/[^a-z0-9]/gi, '-').toLowerCase(), name)
  }
  return {
    identityHeaders: [...names.values()].map((header, i) =>
      createHeader(random, header, `claim${i}`),
    ),
    reservedHeaders: APP_HEADERS.filter(() => random.chance(50)).map((name) =>
      name.replaceAll('_', '-'),
    ),
    assertionHeader: random.pick(['X-Pomerium-Jwt-Assertion', 'Authorization', 'X-Assertion']),
    host: random.chance(50) ? undefined : 'upstream:3000',
  }
}

const createHeader = (random: Random, header: string, claim: string): IdentityHeader => ({
  header,
  claims: [claim],
  separator: random.pick(SEPARATORS),
  encoding: random.pick<Encoding>(ENCODINGS),
  transforms: [],
  only: [],
  maxBytes: undefined,
})

const createName = (random: Random): string =>
  random.text(1 + random.int(random.chance(5) ? 300 : 20), TOKEN)

/** What a client sends: up to 24 fields, most of them near a name that is not theirs to send. */
export function createSet(random: Random, rules: Rules): Line[] {
  const targets = [
    ...rules.identityHeaders.map(({ header }) => header),
    ...rules.reservedHeaders,
    rules.assertionHeader,
    'x-pomerium',
    `x-pomerium-${random.text(random.int(12), TOKEN)}`,
  ]
  const lines = Array.from({ length: random.int(25) }, () => createLine(random, targets))
  const names = lines.map(([name]) => name)
  if (random.chance(60))
    lines.push([respellCase(random, 'Connection'), nominations(random, [...names, ...targets])])
  return lines.toSorted(() => random.int(3) - 1)
}

function createLine(random: Random, targets: readonly string[]): Line {
  const target = random.pick(targets)
  const name = random.weighted<() => string>([
    [30, () => respell(random, target)],
    [10, () => target],
    [15, () => nearMiss(random, respell(random, target))],
    [10, () => respellCase(random, random.pick(HOP))],
    [15, () => random.pick(COMMON)],
    [5, () => respellCase(random, 'Authorization')],
    [15, () => createName(random)],
  ])()
  return [name, createValue(random)]
}

const respellCase = (random: Random, name: string): string =>
  [...name].map((c) => (random.chance(50) ? c.toUpperCase() : c.toLowerCase())).join('')

/** Another spelling that folds to the same name. */
const respell = (random: Random, name: string): string =>
  respellCase(random, name).replace(/[^A-Za-z0-9]/g, (mark) =>
    random.chance(60) ? random.text(1, MARKS) : mark,
  )

/** A name one character away. */
function nearMiss(random: Random, name: string): string {
  const at = random.int(name.length + 1)
  const other = random.text(1, random.chance(50) ? MARKS : TOKEN)
  return random.pick([
    name.slice(0, at) + other + name.slice(at),
    name.slice(0, at) + name.slice(at + 1) || 'x',
    name.slice(0, at) + other + name.slice(at + 1),
  ])
}

function nominations(random: Random, names: readonly string[]): string {
  const items = Array.from({ length: 1 + random.int(5) }, () => {
    const name = random.pick([
      ...names,
      ...COMMON,
      'close',
      'keep-alive',
      'Host',
      'Content-Length',
      '',
      '"x"',
    ])
    return (
      random.pick(['', ' ', '\t', ' \t ']) +
      respellCase(random, name) +
      random.pick(['', ' ', '\t'])
    )
  })
  return items.join(random.pick([',', ', ', ',,']))
}

const VALUES = [
  'Bearer Pomerium-abc',
  'bearer\t pomerium-1',
  ' Bearer  POMERIUM-',
  'Bearer pomerium',
  'Basic Pomerium-a',
  'a.b.c',
  'Bearer a.b.c',
  'a.b.c, a.b.c',
  '',
  'x',
]
const VALUE_CHARACTERS = `${TOKEN} ,;:=/"\\()<>@[]{}?\t\x80\xa0\xff`

function createValue(random: Random): string {
  if (random.chance(60)) return random.pick(VALUES)
  return random
    .text(random.int(30), random.chance(30) ? 'abcABC_-.' : VALUE_CHARACTERS)
    .replace(/^[ \t]+|[ \t]+$/g, '')
}

const TEXTS = [
  'ann@example.com',
  'Doe, Jane',
  'a|b',
  'a b',
  '=?UTF-8?B?YQ==?=',
  '100%',
  '%41',
  'a=b',
  '=41',
  '\u00e9',
  'e\u0301',
  '\u{1f600}',
  '\u0416\u0443\u043a',
  '\u212a',
  ' x',
  'x\t',
  'a\r\nX-B: c',
  'a\0',
  '\x85',
  '\ud800',
  '\udc00a',
  '\ufeffx',
  '\u2028',
  '\xa0',
  '"quoted"',
  '\\',
  '+',
  '',
]
const UNICODE = 'aZ0 ,|=%?_"\\\u00e4\u00ff\u0100\u20ac\u{10ffff}\ud800\udc00\u0085\u001f\u007f'

/** Claims for the identity headers of `rules`; some are absent, some cannot be said. */
export function createClaims(random: Random, { identityHeaders }: Rules): Record<string, unknown> {
  const claims: Record<string, unknown> = Object.create(null)
  const text = () =>
    random.chance(60)
      ? random.pick(TEXTS)
      : random.text(random.int(random.chance(5) ? 400 : 12), random.chance(60) ? LETTERS : UNICODE)
  for (const {
    claims: [name = ''],
  } of identityHeaders) {
    claims[name] = random.weighted<() => unknown>([
      [50, text],
      [25, () => Array.from({ length: random.int(5) }, text)],
      [8, () => undefined],
      [3, () => null],
      [5, () => random.int(1_000) - 500],
      [3, () => random.chance(50)],
      [2, () => ({ [text()]: text(), list: [text(), 1] })],
      [4, () => [[text()], text()]],
    ])()
  }
  return claims
}
