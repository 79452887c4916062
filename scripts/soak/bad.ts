import { requestBytes } from '../../test/helpers/claimgate.ts'
import type { Issuer } from '../../test/helpers/issuer.ts'
import { createKey } from '../../test/helpers/keys.ts'
import { HOST, hmacSigner, mint, seal } from '../../test/helpers/mint.ts'

/** A request that must be refused, and with which code. */
export interface BadRequest {
  readonly code: string
  readonly bytes: string
}

const FOREIGN = createKey()
const now = () => Math.floor(Date.now() / 1000)

/** The assertion line or lines of a bad request; most are made from a good assertion. */
type Make = (issuer: Issuer) => readonly string[]

const line = (assertion: string) => `X-Pomerium-Jwt-Assertion: ${assertion}`

const flipped = (assertion: string): string => {
  const [header, payload, signature = ''] = assertion.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[40] = (bytes[40] ?? 0) ^ 1
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

const KINDS: readonly (readonly [code: string, make: Make])[] = [
  ['ERR_ASSERTION_MISSING', () => []],
  ['ERR_ASSERTION_EMPTY', () => [line('')]],
  ['ERR_ASSERTION_MALFORMED', () => [line('a.b')]],
  ['ERR_ASSERTION_DUPLICATE', ({ assertion }) => [line(assertion()), line(assertion())]],
  ['ERR_ASSERTION_SIGNATURE', ({ assertion }) => [line(flipped(assertion()))]],
  [
    'ERR_ASSERTION_SIGNATURE',
    ({ key }) => [line(mint({ key: FOREIGN, header: { kid: key().kid }, now: now() }))],
  ],
  [
    'ERR_ASSERTION_KEY_UNKNOWN',
    () => [line(mint({ key: FOREIGN, header: { kid: `k${Math.random()}` }, now: now() }))],
  ],
  ['ERR_ASSERTION_AUDIENCE', ({ assertion }) => [line(assertion({ aud: `x.${HOST}` }))]],
  ['ERR_ASSERTION_ISSUER', ({ assertion }) => [line(assertion({ iss: `${HOST}.x` }))]],
  ['ERR_ASSERTION_EXPIRED', ({ assertion }) => [line(assertion({ exp: now() - 70 }))]],
  ['ERR_ASSERTION_NOT_YET_VALID', ({ assertion }) => [line(assertion({ nbf: now() + 120 }))]],
  ['ERR_ASSERTION_ANONYMOUS', ({ assertion }) => [line(assertion({ sub: '' }))]],
  ['ERR_ASSERTION_CLAIM', ({ assertion }) => [line(assertion({ email: 'a\r\nX-B: c' }))]],
  [
    'ERR_ASSERTION_CRITICAL',
    ({ key }) => [line(mint({ key: key(), header: { crit: ['x'], x: 1 }, now: now() }))],
  ],
  [
    'ERR_ASSERTION_ALGORITHM',
    ({ assertion, key }) => {
      const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: key().kid }))
      const [, payload = ''] = assertion().split('.')
      return [line(seal(header.toString('base64url'), payload, hmacSigner('HS256', key().kid)))]
    },
  ],
]

let next = 0

/** One kind after the other. `mark` is in the request, so that the app can tell it from all others. */
export function badRequest(issuer: Issuer, mark: string, lines: readonly string[] = []) {
  const [code, make] = KINDS[next++ % KINDS.length] as (typeof KINDS)[number]
  const bytes = requestBytes(undefined, {
    line: 'GET /bad HTTP/1.1',
    lines: [...make(issuer), `X-Mark: ${mark}`, ...lines],
  })
  return { code, bytes } satisfies BadRequest
}
