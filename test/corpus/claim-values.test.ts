import t from 'tap'
import { type Claims, readClaim } from '../../src/assertion/claims.ts'
import { takeAssertion } from '../../src/assertion/take.ts'
import { createVerifier, type Verified } from '../../src/assertion/verify.ts'
import { ENCODINGS, type Encoding, type IdentityHeader } from '../../src/config/config.ts'
import { RejectedError } from '../../src/errors.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import { fieldsOf, type Outcome, openBlackBox } from '../helpers/black-box.ts'
import { requestBytes } from '../helpers/claimgate.ts'
import { type Case, runCorpus, type Tally } from '../helpers/corpus.ts'
import { decode } from '../helpers/decode.ts'
import { createKey, memoryKeySet, verificationKey } from '../helpers/keys.ts'
import { HOST, mint, NOW, NOW_MS } from '../helpers/mint.ts'
import { codeOf } from '../helpers/raw-client.ts'
import { resolve, toJson } from '../helpers/values.ts'

const FILE = 'claim-values.json'
const HEADER = 'X-Pomerium-Jwt-Assertion'
const REFUSALS = ['ERR_ASSERTION_CLAIM', 'ERR_ASSERTION_ANONYMOUS']

const key = createKey()
const verify = createVerifier({
  keySet: memoryKeySet([await verificationKey(key)]),
  expected: {
    issuers: [HOST],
    audiences: [HOST],
    algorithms: ['ES256'],
    clockSkew: 60_000,
    maxAssertionAge: undefined,
  },
  now: () => NOW_MS,
})

function payloadOf(recipe: Case): string {
  const { payload_raw: raw, claims } = recipe
  const good: Readonly<Record<string, unknown>> = { iss: HOST, aud: HOST, iat: NOW, exp: NOW + 300 }
  if (typeof raw === 'string') {
    return raw.replace(/"@([a-z]+)"/g, (text, name) => JSON.stringify(good[name]) ?? text)
  }
  const base = {
    ...good,
    sub: 'user-1',
    email: 'alice@example.com',
    groups: ['dev', 'ops'],
    name: 'Alice',
  }
  const { $many, ...others } = claims as Readonly<Record<string, unknown>>
  const changes = resolve(others, { names: {}, now: NOW }) as object
  return toJson({ ...base, ...many($many), ...changes })
}

function many(recipe: unknown): object {
  if (recipe === undefined) return {}
  const [count, prefix, value] = recipe as [number, string, unknown]
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, value]))
}

/** Every claim of the cases in a header of its own, and some that only a prototype has. */
function headersFor(cases: readonly Case[], encoding: Encoding): readonly IdentityHeader[] {
  const inherited = [
    'constructor',
    'toString',
    'valueOf',
    '__proto__.email',
    'prototype.constructor',
  ]
  const ofCases = cases
    .flatMap((recipe) => Object.keys((recipe['claims'] ?? {}) as object))
    .filter((name) => name !== '$many')
  const names = new Set(['sub', 'email', 'groups', 'name', 'claim_7', ...ofCases, ...inherited])
  return [...names].map((name, i) => ({
    header: `X-Claim-${i}`,
    claims: [name],
    separator: ',',
    encoding,
    transforms: [],
    only: [],
    maxBytes: undefined,
  }))
}

/** The documented rule, written once more: the text that must arrive, or `undefined` for no header. */
function wantedText(value: unknown): string | undefined {
  if (!Array.isArray(value)) {
    if (value === undefined || value === null || value === '') return undefined
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  const items = value.filter((item) => item !== null && item !== '')
  const texts = items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
  const kept = texts.filter((text) => !text.includes(','))
  return kept.length === 0 ? undefined : kept.join(',')
}

function checkLines(
  lines: readonly string[],
  verified: Verified,
  headers: readonly IdentityHeader[],
) {
  const faults: string[] = []
  const arrived = new Map<string, string>()
  for (let i = 0; i < lines.length; i += 2) {
    const [name = '', value = ''] = lines.slice(i, i + 2)
    if (arrived.has(name)) faults.push(`two lines of ${name}`)
    if (/[^\x20-\x7e\x80-\xff]/.test(value)) faults.push('a control byte')
    arrived.set(name, value)
  }
  for (const { header, claims, encoding } of headers) {
    const wanted = wantedText(readClaim(verified.claims, claims[0] ?? ''))
    const bytes = arrived.get(header)
    const text = bytes === undefined ? undefined : decode(bytes, encoding)
    if (text !== wanted) faults.push(`${header} says ${text?.slice(0, 40)}`)
    arrived.delete(header)
  }
  if (arrived.size > 0) faults.push('lines of other names')
  return faults
}

t.test(`${FILE}: in every encoding`, async (t) => {
  await runCorpus<{ cases: readonly Case[] }>(t, FILE, async ({ cases }, tally) => {
    for (const recipe of cases) {
      tally.ran += 1
      for (const encoding of ENCODINGS) await runCase(recipe, encoding, tally)
    }
  })
})

async function runCase(recipe: Case, encoding: Encoding, tally: Tally) {
  const deviate = (what: string) => tally.deviations.push(`${recipe.id} (${encoding}): ${what}`)
  const headers = headersFor([recipe], encoding)
  const token = mint({ key, claims: payloadOf(recipe) })
  try {
    const verified = await verify(takeAssertion([HEADER, token], HEADER), 'required')
    const { lines } = createIdentityHeaders(headers)(verified.claims)
    if (recipe.outcome === 'reject' || recipe.outcome === 'policy') deviate('forwarded')
    for (const fault of checkLines(lines, verified, headers)) deviate(fault)
    checkExpected(recipe, verified, deviate)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    // ASCII has no way to say the rest: refusing is its rule.
    const mayRefuse = recipe.outcome !== 'forward' || (encoding === 'ascii' && !isAsciiCase(recipe))
    if (!mayRefuse) deviate(`refused with ${error.code} (${error.reason})`)
    const isMissingDate = recipe.id === 'prototype/proto-supplies-exp'
    if (!REFUSALS.includes(error.code) && !isMissingDate) deviate(`refused with ${error.code}`)
  }
}

function isAsciiCase(recipe: Case): boolean {
  return !/[^\x20-\x7e]/.test(JSON.stringify(recipe['claims'] ?? ''))
}

function checkExpected(recipe: Case, { claims }: Verified, deviate: (what: string) => void) {
  const { email } = (recipe['expect'] ?? {}) as { readonly email?: string }
  if (email !== undefined && claims['email'] !== email) deviate('the email is another')
}

t.test(`${FILE}: as bytes at the upstream`, async (t) => {
  await runCorpus<{ cases: readonly Case[] }>(t, FILE, async ({ cases }, tally) => {
    const headers = headersFor(cases, 'utf8')
    const box = await openBlackBox(t, { identityHeaders: headers })
    for (const recipe of cases) {
      tally.ran += 1
      const payload = payloadOf(recipe)
      const token = mint({ key: box.claimgate.key, claims: payload })
      const outcome = await box.send(requestBytes(token))
      for (const fault of bytesFaults(recipe, JSON.parse(payload), headers, outcome)) {
        tally.deviations.push(`${recipe.id}: ${fault}`)
      }
      if (!(await box.isWell())) tally.deviations.push(`${recipe.id}: not well after it`)
    }
    t.doesNotThrow(() => box.claimgate.logLines(), 'every log line is JSON')
  })
})

function bytesFaults(
  recipe: Case,
  claims: Claims,
  headers: readonly IdentityHeader[],
  { status, answer, upstream }: Outcome,
): string[] {
  if (status === 401) {
    const faults = recipe.outcome === 'forward' ? ['refused'] : []
    if (upstream !== '') faults.push('refused and yet forwarded')
    if (!REFUSALS.includes(codeOf(answer) ?? '')) faults.push(`refused with ${codeOf(answer)}`)
    return faults
  }
  if (status !== 200) return [`answered ${status}`]
  const faults = recipe.outcome === 'reject' || recipe.outcome === 'policy' ? ['forwarded'] : []
  if (/[^\x20-\x7e\x80-\xff]/.test(upstream.replaceAll('\r\n', ''))) faults.push('a control byte')
  const fields = fieldsOf(upstream)
  const others = [...fields.keys()].filter((name) => !/^(host|connection|x-claim-\d+)$/.test(name))
  if (others.length > 0) faults.push(`fields of other names: ${others}`)
  for (const { header, claims: names } of headers) {
    const wanted = wantedText(readClaim(claims, names[0] ?? ''))
    const values = fields.get(header.toLowerCase())?.map((bytes) => decode(bytes, 'utf8')) ?? []
    if (JSON.stringify(values) !== JSON.stringify(wanted === undefined ? [] : [wanted])) {
      faults.push(`${header} says ${JSON.stringify(values).slice(0, 40)}`)
    }
  }
  return faults
}
