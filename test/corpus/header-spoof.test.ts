import t from 'tap'
import { takeAssertion } from '../../src/assertion/take.ts'
import type { IdentityHeader } from '../../src/config/config.ts'
import { RejectedError } from '../../src/errors.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import { createReserved } from '../../src/identity/strip.ts'
import { type BlackBox, fieldsOf, type Outcome, openBlackBox } from '../helpers/black-box.ts'
import { requestBytes } from '../helpers/claimgate.ts'
import { type Case, runCorpus, type Tally } from '../helpers/corpus.ts'
import { mint, NOW } from '../helpers/mint.ts'

const FILE = 'header-spoof.json'

interface Spoofs {
  readonly cases: readonly Case[]
  readonly sut_config: {
    readonly assertion_header: string
    readonly claim_headers: Readonly<Record<string, readonly string[]>>
    readonly token_claims: Readonly<Record<string, unknown>>
  }
}

/** The oracle's own folding, written once more. */
function fold(name: string): string {
  return [...name.toLowerCase()].map((c) => (/[a-z0-9]/.test(c) ? c : '-')).join('')
}

/** Name, value, name, value… as an HTTP parser gives them, or `undefined` where it refuses the line. */
function parse(lines: readonly string[]): readonly string[] | undefined {
  const raw: string[] = []
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined || /[\r\n\0]/.test(line)) return undefined
    raw.push(name, value)
  }
  return raw
}

t.test(`${FILE}: with the pure rules alone`, async (t) => {
  await runCorpus<Spoofs>(t, FILE, async ({ cases, sut_config: sut }, tally) => {
    const identityHeaders = Object.entries(sut.claim_headers).flatMap(([claim, headers]) =>
      headers.map((header) => row(header, claim)),
    )
    const isReserved = createReserved({
      identityHeaders,
      reservedHeaders: [],
      assertionHeader: sut.assertion_header,
    })
    const { lines: ours } = createIdentityHeaders(identityHeaders)(sut.token_claims)
    for (const recipe of cases) {
      const received = parse(recipe['lines'] as readonly string[])
      // What the parser refuses never comes to these rules.
      if (received === undefined) {
        tally.notRun += 1
        continue
      }
      tally.ran += 1
      checkAssertion(recipe, received, sut.assertion_header, tally)
      checkForwarded(recipe, kept(received, isReserved), ours, tally)
    }
  })
})

function row(header: string, claim: string): IdentityHeader {
  return {
    header,
    claims: [claim],
    separator: ',',
    encoding: 'utf8',
    transforms: [],
    only: [],
    maxBytes: undefined,
  }
}

function kept(received: readonly string[], isReserved: (name: string, value: string) => boolean) {
  const fields: string[] = []
  for (let i = 0; i < received.length; i += 2) {
    const [name = '', value = ''] = received.slice(i, i + 2)
    if (!isReserved(name, value)) fields.push(name, value)
  }
  return fields
}

function checkAssertion(recipe: Case, received: readonly string[], header: string, tally: Tally) {
  const token = recipe['token'] === 'valid' ? [header, 'aaaa.bbbb.cccc'] : []
  const raw = [...token, ...received].map((text) =>
    text.replace(/\{\{ASSERTION\w*\}\}/, 'aaaa.bbbb.cccc'),
  )
  try {
    takeAssertion(raw, header)
    if (recipe.outcome === 'reject') tally.deviations.push(`${recipe.id}: an assertion was taken`)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    if (recipe.outcome === 'forward') tally.deviations.push(`${recipe.id}: ${error.code}`)
  }
}

function checkForwarded(
  recipe: Case,
  fields: readonly string[],
  ours: readonly string[],
  tally: Tally,
) {
  const own = new Set(ours.filter((_, i) => i % 2 === 0).map(fold))
  for (const [i, name] of fields.entries()) {
    if (i % 2 === 1) continue
    if (!fold(name).startsWith('x-pomerium-') && !own.has(fold(name))) continue
    tally.deviations.push(`${recipe.id}: ${name} passes`)
  }
}

t.test(`${FILE}: over HTTP and WebSocket handshakes`, async (t) => {
  await runCorpus<Spoofs>(t, FILE, async ({ cases, sut_config: sut }, tally) => {
    const identityHeaders = Object.entries(sut.claim_headers).flatMap(([claim, headers]) =>
      headers.map((header) => row(header, claim)),
    )
    const box = await openBlackBox(t, { identityHeaders, assertionHeader: sut.assertion_header })
    for (const recipe of cases) {
      tally.ran += 1
      const outcome = await box.send(bytesOf(recipe, sut, box))
      for (const fault of faultsOf(recipe, sut, outcome)) {
        tally.deviations.push(`${recipe.id}: ${fault}`)
      }
      if (!(await box.isWell())) tally.deviations.push(`${recipe.id}: not well after it`)
    }
  })
})

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

function bytesOf(recipe: Case, { token_claims: claims }: Spoofs['sut_config'], box: BlackBox) {
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

function faultsOf(recipe: Case, sut: Spoofs['sut_config'], outcome: Outcome): string[] {
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
