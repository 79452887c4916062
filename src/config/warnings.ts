import { audiences, issuers } from './derive.ts'
import { type Draft, sourceOf } from './draft.ts'
import { isAny, isLoopback } from './hosts.ts'
import { quote } from './input.ts'

/** What can be meant, but mostly is not. Each begins with its source, like a problem. */
export function settingWarnings(draft: Draft): string[] {
  return [...unsafe(draft), ...unlikelyNames(draft), ...openUpstream(draft)]
}

function* unsafe(draft: Draft): Generator<string> {
  if (draft.get('unsafe_http_jwks') === true)
    yield `${sourceOf(draft, 'unsafe_http_jwks')}: unsafe_http_jwks is on: whoever can change the traffic to jwks_uri can sign in as anybody`
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
  if (upstream === undefined || upstream.protocol === 'unix:' || listen === undefined) return
  if (isAny(listen.host) && !isLoopback(upstream.hostname))
    yield `${sourceOf(draft, 'upstream')}: the upstream is on the network: make sure that only claimgate can reach it, since it believes every identity header`
}
