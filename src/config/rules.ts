import type { Problem } from '../errors.ts'
import { foldName } from '../identity/fold.ts'
import type { ListenTarget } from './config.ts'
import { audiences, identityHeadersOf, issuers } from './derive.ts'
import { type Draft, sourceOf } from './draft.ts'
import { isAny, isLoopback } from './hosts.ts'
import { quote, show } from './input.ts'
import { keySetProblems } from './key-set-rules.ts'
import { problem } from './problem.ts'
import type { SettingName } from './setting.ts'

/** What is wrong between settings that are well-formed one by one. A setting that is not is left alone here. */
export function crossProblems(draft: Draft): Problem[] {
  return [
    ...missing(draft),
    ...unused(draft),
    ...keySetProblems(draft),
    ...pair(draft, 'jwks_client_cert_file', 'jwks_client_key_file'),
    ...pair(draft, 'upstream_client_cert_file', 'upstream_client_key_file'),
    ...pair(draft, 'tls_cert_file', 'tls_key_file'),
    ...clientCa(draft),
    ...upstreamTls(draft),
    ...listeners(draft),
    ...loops(draft),
    ...assertionAsIdentity(draft),
    ...publicStatusPage(draft),
  ]
}

/** There is no way to leave a check out: without issuer or audience nothing starts. */
function* missing(draft: Draft): Generator<Problem> {
  if (
    draft.get('mode') === 'proxy' &&
    draft.get('upstream') === undefined &&
    !draft.isBad('upstream')
  )
    yield notSet('upstream', "be the app's origin, such as http://127.0.0.1:3000")
  if (draft.isBad('route')) return
  for (const [name, { value }] of [
    ['issuer', issuers(draft)],
    ['audience', audiences(draft)],
  ] as const)
    if (value.length === 0 && !draft.isBad(name))
      yield notSet(name, 'be set, or route, such as https://app.example.com')
}

export const notSet = (name: SettingName, must: string): Problem =>
  problem('not set', name, must, 'nothing')

function* pair(draft: Draft, cert: SettingName, key: SettingName): Generator<Problem> {
  for (const [one, other] of [
    [cert, key],
    [key, cert],
  ] as const)
    if (draft.given(one) && !draft.given(other))
      yield problem(sourceOf(draft, one), other, `be set together with ${one}`, 'nothing')
}

/** Without TLS nobody would be asked for a certificate, and nobody refused. */
function* clientCa(draft: Draft): Generator<Problem> {
  const [ca, cert] = ['tls_client_ca_file', 'tls_cert_file'] as const
  if (draft.given(ca) && !draft.given(cert))
    yield problem(sourceOf(draft, ca), cert, `be set together with ${ca}`, 'nothing')
}

const UPSTREAM_TLS = [
  'upstream_ca_file',
  'upstream_server_name',
  'upstream_client_cert_file',
  'upstream_client_key_file',
] as const

/** What only a proxy does. */
const FOR_PROXY = [
  'upstream',
  ...UPSTREAM_TLS,
  'upstream_connect_timeout',
  'upstream_response_timeout',
  'preserve_host',
  'tunnel_max_age',
  'status_path',
] as const

/** Whoever sets these believes that something is forwarded. */
function* unused(draft: Draft): Generator<Problem> {
  if (draft.get('mode') !== 'forward-auth') return
  for (const name of FOR_PROXY) {
    const input = draft.given(name)
    // A stand-in of a command is nothing that anybody set.
    if (input === undefined || input.source === 'not set') continue
    const must = 'be left out with mode: forward-auth, which forwards nothing'
    yield problem(input.source, name, must, quote(show(input)))
  }
}

function* upstreamTls(draft: Draft): Generator<Problem> {
  const protocol = draft.get('upstream')?.protocol
  if (protocol === undefined || protocol === 'https:') return
  for (const name of UPSTREAM_TLS)
    if (draft.given(name))
      yield problem(
        sourceOf(draft, name),
        name,
        'be used with an https: upstream',
        `an ${protocol} one`,
      )
}

function* listeners(draft: Draft): Generator<Problem> {
  const [data, admin] = [draft.get('listen'), draft.get('admin_listen')]
  if (data === undefined || admin === undefined) return
  if (data.path !== undefined || admin.path !== undefined)
    return void (yield* sharedSocket(draft, data, admin))
  if (data.port === 0) return
  const isShared = data.host === admin.host || isAny(data.host) || isAny(admin.host)
  if (data.port === admin.port && isShared)
    yield problem(
      sourceOf(draft, draft.given('admin_listen') ? 'admin_listen' : 'listen'),
      'admin_listen',
      'have another port than listen',
      `port ${admin.port} for both`,
    )
}

function* sharedSocket(draft: Draft, data: ListenTarget, admin: ListenTarget): Generator<Problem> {
  if (admin.path !== undefined && data.path === admin.path)
    yield problem(
      sourceOf(draft, 'admin_listen'),
      'admin_listen',
      'have another path than listen',
      quote(`unix:${admin.path}`),
    )
}

/** A request forwarded to ourselves would be forwarded again, until connections run out. */
function* loops(draft: Draft): Generator<Problem> {
  const upstream = draft.get('upstream')
  if (upstream === undefined) return
  const dialled: ListenTarget =
    upstream.protocol === 'unix:'
      ? { path: upstream.path }
      : { host: upstream.hostname, port: upstream.port }
  for (const name of ['listen', 'admin_listen'] as const) {
    const own = draft.get(name)
    if (own !== undefined && reaches(dialled, own))
      yield problem(
        sourceOf(draft, 'upstream'),
        'upstream',
        `not be claimgate itself (${name})`,
        quote(
          dialled.path === undefined ? `${dialled.host}:${dialled.port}` : `unix:${dialled.path}`,
        ),
      )
  }
}

function reaches(dialled: ListenTarget, own: ListenTarget): boolean {
  if (dialled.path !== undefined || own.path !== undefined) return dialled.path === own.path
  if (dialled.port !== own.port) return false
  const isLocal = isLoopback(dialled.host) || isAny(dialled.host)
  return dialled.host === own.host || (isLocal && (isLoopback(own.host) || isAny(own.host)))
}

function* assertionAsIdentity(draft: Draft): Generator<Problem> {
  const assertion = draft.get('assertion_header')
  if (assertion === undefined) return
  for (const { header } of identityHeadersOf(draft).value)
    if (foldName(header) === foldName(assertion))
      yield problem(
        sourceOf(draft, 'assertion_header'),
        'assertion_header',
        'not be one of the identity headers',
        quote(assertion),
      )
}

/** The page shows a verified identity; on a public path there may be none. */
function* publicStatusPage(draft: Draft): Generator<Problem> {
  const path = draft.get('status_path')
  if (path !== undefined && draft.get('public_paths')?.includes(path))
    yield problem(
      sourceOf(draft, 'public_paths'),
      'public_paths',
      'not hold status_path',
      quote(path),
    )
}
