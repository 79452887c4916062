import type { Case } from './corpus.ts'
import { publicJwk, type SigningKey, thumbprint } from './keys.ts'
import { literal } from './literals.ts'
import { base64url, hmacSigner, mint, partsOf, type Signer, seal, signerOf } from './mint.ts'
import { type Context, RawJson, resolve, substitute, toJson } from './values.ts'

/** The order of P-256: signatures (r, s) and (r, n − s) are both good. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

export interface Workshop extends Context {
  readonly keys: Readonly<Record<string, SigningKey>> & { readonly good: SigningKey }
}

interface Sign {
  readonly alg: string
  readonly key?: string | { readonly hmac: string }
  readonly unencoded?: boolean
  readonly payload_literal?: boolean
}

type Step = readonly [string, ...unknown[]]

/** The header value that a case of bad-tokens.json describes. */
export function cook(recipe: Case, workshop: Workshop): string {
  if (recipe['literal'] !== undefined) {
    const good = cook({ id: 'good', class: 'good', outcome: 'accept' }, workshop)
    return literal(String(resolve(recipe['literal'], workshop)), good)
  }
  const steps = (recipe['post'] ?? []) as readonly Step[]
  let token = seal(
    headerPart(recipe, workshop),
    payloadPart(recipe, workshop),
    signer(recipe, workshop),
  )
  if (unencoded(recipe)) token = unencodedToken(recipe, workshop)
  for (const step of steps) {
    const before = token
    token = apply(step, token, workshop)
    // A good signature is made anew by "resign", so no step may leave things as they were.
    if (token === before) throw new Error(`${recipe.id}: ${step[0]} changes nothing`)
  }
  return token
}

function headerPart(recipe: Case, workshop: Workshop): string {
  if (typeof recipe['header_raw'] === 'string') {
    return base64url(substitute(recipe['header_raw'], workshop.names))
  }
  const base = { alg: 'ES256', typ: 'JWT', kid: '@kid' }
  const changes = named(recipe['header'] ?? {}, workshop)
  return base64url(toJson(merge(base, changes, workshop)))
}

/** Values that stand for something only an attacker has. */
function named(header: unknown, { keys }: Workshop): unknown {
  const attacker = keys['attacker'] ?? keys.good
  const values = new Map<unknown, unknown>([
    ['@attacker-jwk', publicJwk(attacker)],
    ['@attacker-x5u-url', 'https://attacker.example/cert.pem'],
    ['@good-jwks-url@attacker', 'https://grafana.example.com@attacker.example/jwks.json'],
    ['@attacker-thumb', thumbprint(attacker.publicKey)],
  ])
  const entries = Object.entries(header as object)
  return Object.fromEntries(entries.map(([k, v]) => [k, values.get(v) ?? v]))
}

function merge(base: object, changes: unknown, workshop: Workshop): Record<string, unknown> {
  const result: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(changes as object)) {
    if (value === null) delete result[name]
    else result[name] = value
  }
  return resolve(result, workshop) as Record<string, unknown>
}

function payloadBytes(recipe: Case, workshop: Workshop): string | Uint8Array {
  const raw = recipe['payload_raw']
  if (raw === undefined)
    return toJson(merge(baseClaims(workshop), recipe['claims'] ?? {}, workshop))
  const value = resolve(raw, workshop)
  return value instanceof RawJson ? value.text : (value as string | Uint8Array)
}

function baseClaims({ now }: Workshop): object {
  return {
    iss: '@iss',
    aud: '@aud',
    iat: now,
    exp: now + 300,
    sub: 'user-1',
    email: 'alice@example.com',
    groups: ['dev'],
  }
}

function payloadPart(recipe: Case, workshop: Workshop): string {
  return base64url(payloadBytes(recipe, workshop))
}

function signer(recipe: Case, workshop: Workshop): Signer {
  const { alg, key } = (recipe['sign'] ?? { alg: 'ES256', key: 'good' }) as Sign
  if (alg === 'none') return () => new Uint8Array()
  if (typeof key === 'object') return hmacSigner(alg, material(key.hmac, workshop))
  const found = workshop.keys[key ?? 'good']
  if (found === undefined) throw new Error(`no key ${key}`)
  return signerOf({ privateKey: found.privateKey, alg })
}

function unencoded(recipe: Case): boolean {
  return (recipe['sign'] as Sign | undefined)?.unencoded === true
}

/** RFC 7797: signed over the payload itself, which then stands in the token encoded or not. */
function unencodedToken(recipe: Case, workshop: Workshop): string {
  const payload = String(payloadBytes(recipe, workshop))
  const header = headerPart(recipe, workshop)
  const signature = base64url(signer(recipe, workshop)(`${header}.${payload}`))
  const isLiteral = (recipe['sign'] as Sign).payload_literal === true
  return `${header}.${isLiteral ? payload : base64url(payload)}.${signature}`
}

function material(name: string, { keys, names }: Workshop): string | Uint8Array {
  const jwk = publicJwk(keys.good)
  const pem = String(keys.good.publicKey.export({ type: 'spki', format: 'pem' }))
  const x = Buffer.from(jwk.x ?? '', 'base64url')
  const y = Buffer.from(jwk.y ?? '', 'base64url')
  const materials: Readonly<Record<string, () => string | Uint8Array>> = {
    'jwk-json': () => JSON.stringify(jwk),
    'jwks-json': () => JSON.stringify({ keys: [jwk] }),
    'spki-pem': () => pem,
    'spki-pem-crlf': () => pem.replaceAll('\n', '\r\n'),
    'x-bytes': () => x,
    'xy-raw': () => Buffer.concat([x, y]),
    'compressed-point': () => compressed(x, y),
    kid: () => keys.good.kid,
    nul: () => '\0',
    iss: () => names['iss'] ?? '',
  }
  const make = materials[name]
  if (make === undefined) throw new Error(`no material ${name}`)
  return make()
}

function compressed(x: Buffer, y: Buffer): Buffer {
  return Buffer.concat([Buffer.of(2 + ((y.at(-1) ?? 0) & 1)), x])
}

const STEPS: Readonly<
  Record<string, (token: string, workshop: Workshop, ...args: never[]) => string>
> = {
  'drop-last-dot': (token) => token.replace(/\.$/, ''),
  'replace-header': (token, workshop, header: unknown) => {
    const text = resolve(header, workshop)
    const part = base64url(text instanceof RawJson ? text.text : String(text))
    return [part, ...partsOf(token).slice(1)].join('.')
  },
  resign: (token, { keys }, name: string) => {
    const [header, payload] = partsOf(token)
    return seal(header, payload, signerOf(keys[name] ?? keys.good))
  },
  sig: (token, _, text: string) => withSignature(token, text),
  'sig-rs': (token, _, r: string, s: string) => {
    const bytes = signatureOf(token)
    return signedBy(token, Buffer.concat([scalar(r, bytes), scalar(s, bytes)]))
  },
  'sig-truncate': (token, _, size: number) => signedBy(token, signatureOf(token).subarray(0, size)),
  'sig-append': (token, _, hex: string) =>
    signedBy(token, Buffer.concat([signatureOf(token), Buffer.from(hex, 'hex')])),
  'sig-prepend': (token, _, hex: string) =>
    signedBy(token, Buffer.concat([Buffer.from(hex, 'hex'), signatureOf(token)])),
  'sig-flip': (token, _, bit: number) => {
    const bytes = signatureOf(token)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    return signedBy(token, bytes)
  },
  'sig-hex': (token, _, hex: string) => signedBy(token, Buffer.from(hex, 'hex')),
  // 64 bytes fill 85 characters and 2 bits of the last: its other 4 bits are spare.
  'sig-b64-unused-bits': (token) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(token.slice(-1))
    return token.slice(0, -1) + alphabet[last | 0b1111]
  },
  'sig-b64-pad': (token) => `${token}==`,
  'sig-b64-insert': (token, _, text: string) => {
    const [header, payload, signature] = partsOf(token)
    const inserted = decodeURIComponent(text)
    return `${header}.${payload}.${signature.slice(0, 40)}${inserted}${signature.slice(40)}`
  },
  'flip-payload-char': (token, _, at: number) => {
    const [header, payload, signature] = partsOf(token)
    const other = payload[at] === 'A' ? 'B' : 'A'
    return `${header}.${payload.slice(0, at)}${other}${payload.slice(at + 1)}.${signature}`
  },
  // Written again at the end of the object: the same value then still makes other bytes.
  'edit-claim': (token, { names }, name: string, value: string) => {
    const [header, payload, signature] = partsOf(token)
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    delete claims[name]
    claims[name] = substitute(value, names)
    return `${header}.${base64url(JSON.stringify(claims))}.${signature}`
  },
  'payload-b64-std': (token) => {
    const [header, payload, signature] = partsOf(token)
    const standard = Buffer.from(payload, 'base64url').toString('base64')
    return `${header}.${standard}.${signature}`
  },
  'sig-from': (token, { keys, now }) => {
    const other = mint({ key: keys.good, now, claims: { sub: 'user-2' } })
    return withSignature(token, partsOf(other)[2])
  },
}

function apply([name, ...args]: Step, token: string, workshop: Workshop): string {
  const step = STEPS[name]
  if (step === undefined) throw new Error(`unknown step ${name}`)
  return step(token, workshop, ...(args as never[]))
}

function signatureOf(token: string): Buffer {
  return Buffer.from(partsOf(token)[2], 'base64url')
}

function signedBy(token: string, signature: Uint8Array): string {
  return withSignature(token, base64url(signature))
}

function withSignature(token: string, signature: string): string {
  const [header, payload] = partsOf(token)
  return `${header}.${payload}.${signature}`
}

function scalar(text: string, signature: Buffer): Buffer {
  const r = BigInt(`0x${signature.subarray(0, 32).toString('hex')}`)
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`)
  const values: Readonly<Record<string, bigint>> = { '@r': r, '@s': s, n: N, 'n-@s': N - s }
  return Buffer.from((values[text] ?? BigInt(text)).toString(16).padStart(64, '0'), 'hex')
}
