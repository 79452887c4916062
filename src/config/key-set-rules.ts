import type { Problem } from '../errors.ts'
import { keySetUri } from './derive.ts'
import { type Draft, sourceOf } from './draft.ts'
import { isLoopback, isSingleLabel } from './hosts.ts'
import { quote } from './input.ts'
import { problem } from './problem.ts'
import { withoutBrackets } from './urls.ts'

const TLS_ONLY = ['jwks_ca_file', 'jwks_client_cert_file', 'jwks_client_key_file'] as const

const REMOTE_ONLY = [
  'jwks_uri',
  'jwks_connect',
  ...TLS_ONLY,
  'jwks_timeout',
  'jwks_refresh',
  'jwks_max_stale',
  'unsafe_http_jwks',
] as const

/** Exactly one key set, fetched over a connection that cannot be changed on the way. */
export function keySetProblems(draft: Draft): Problem[] {
  if (draft.given('jwks_file')) return [...onlyFile(draft)]
  if (draft.isBad('jwks_uri') || (draft.isBad('route') && !draft.given('jwks_uri'))) return []
  const { value: uri, from } = keySetUri(draft)
  if (uri === undefined) return [noKeySet(draft)]
  if (uri.protocol !== 'http:' || from !== undefined) return []
  return [...plainHttp(draft, uri)]
}

function* onlyFile(draft: Draft): Generator<Problem> {
  for (const name of REMOTE_ONLY)
    if (draft.given(name))
      yield problem(
        sourceOf(draft, name),
        name,
        'not be set together with jwks_file',
        `both (jwks_file from ${sourceOf(draft, 'jwks_file')})`,
      )
}

function noKeySet(draft: Draft): Problem {
  const [first] = draft.get('route') ?? []
  if (first === undefined)
    return problem('not set', 'jwks_uri', 'be set, or route or jwks_file', 'nothing')
  const must = 'begin with a route without wildcard, unless jwks_uri or jwks_file is set'
  return problem(sourceOf(draft, 'route'), 'route', must, quote(`https://${first.hostname}`))
}

function* plainHttp(draft: Draft, uri: URL): Generator<Problem> {
  const host = withoutBrackets(uri.hostname)
  const source = sourceOf(draft, 'jwks_uri')
  const isNear = isLoopback(host) || isSingleLabel(host)
  if (!isNear && draft.get('unsafe_http_jwks') === false)
    yield problem(
      source,
      'jwks_uri',
      'be https: unless its host is loopback or a single label (or unsafe_http_jwks is true)',
      quote(uri.href),
    )
  for (const name of TLS_ONLY)
    if (draft.given(name))
      yield problem(sourceOf(draft, name), name, 'be used with an https: jwks_uri', 'an http: one')
}
