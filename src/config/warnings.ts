import type { AllowEntry } from './config.ts'
import { audiences, identityHeadersOf, issuers } from './derive.ts'
import { type Draft, sourceOf } from './draft.ts'
import { isAny, isLoopback } from './hosts.ts'
import { quote } from './input.ts'

/** What can be meant, but mostly is not. Each begins with its source, like a problem. */
export function settingWarnings(draft: Draft): string[] {
  return [
    ...unsafe(draft),
    ...trustedProxy(draft),
    ...unlikelyNames(draft),
    ...openUpstream(draft),
    ...sharedLocalParts(draft),
  ]
}

function* unsafe(draft: Draft): Generator<string> {
  if (draft.get('unsafe_http_jwks') === true)
    yield `${sourceOf(draft, 'unsafe_http_jwks')}: unsafe_http_jwks is on: whoever can change the traffic to jwks_uri can sign in as anybody`
  if (draft.get('report_only') === 'unsafe')
    yield `${sourceOf(draft, 'report_only')}: report_only is on: nobody is kept out, and requests without a good assertion reach the app without identity headers`
}

/** Nothing here can see who asks, nor what becomes of the answer, so it is said once. */
function* trustedProxy(draft: Draft): Generator<string> {
  if (draft.get('mode') === 'forward-auth')
    yield `${sourceOf(draft, 'mode')}: mode is forward-auth: the proxy in front must overwrite X-Forwarded-Method, X-Forwarded-Uri, X-Original-Method and X-Original-URI when it asks, and every identity header when it forwards (docs/forward-auth.md)`
}

function* unlikelyNames(draft: Draft): Generator<string> {
  for (const audience of audiences(draft).value)
    if (/^https?:/.test(audience))
      yield `${sourceOf(draft, 'audience')}: audience ${quote(audience)} is a URL, but Pomerium sends the bare host name`
  for (const issuer of issuers(draft).value)
    if (/^https?:\/\/[^/]*$/.test(issuer))
      yield `${sourceOf(draft, 'issuer')}: issuer ${quote(issuer)} has no final slash, but Pomerium's URI form ends in one`
}

/** Nothing here can see who else reaches the app, so it is said once. */
function* openUpstream(draft: Draft): Generator<string> {
  const [upstream, listen] = [draft.get('upstream'), draft.get('listen')]
  if (upstream === undefined || upstream.protocol === 'unix:') return
  if (listen === undefined || listen.path !== undefined) return
  if (isAny(listen.host) && !isLoopback(upstream.hostname))
    yield `${sourceOf(draft, 'upstream')}: the upstream is on the network: make sure that only claimgate can reach it, since it believes every identity header`
}

/** `ann@a.example` and `ann@b.example` would be one user of the app. */
function* sharedLocalParts(draft: Draft): Generator<string> {
  const headers = identityHeadersOf(draft)
  const isCut = headers.value.some(({ transforms }) => transforms.includes('local_part'))
  if (headers.from !== undefined && isCut && !isOneDomain(draft.get('allow')))
    yield `${sourceOf(draft, 'preset')}: the preset makes a user name of what stands before the @: without rules for one e-mail domain two people may become one user`
}

/** Whether each entry lets in the addresses of the same one domain alone. */
function isOneDomain(allow: readonly AllowEntry[] = []): boolean {
  const domains = allow.map(({ claims }) => {
    const globs = claims.find(({ claim }) => claim === 'email')?.globs ?? []
    const [first = ''] = globs.map((glob) => glob.slice(glob.lastIndexOf('@')))
    return globs.every((glob) => glob.endsWith(first)) ? first : ''
  })
  return new Set(domains).size === 1 && /^@[^*]+$/.test(domains[0] ?? '')
}
