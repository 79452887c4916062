import type { IdentityHeader } from './config.ts'
import { type Draft, sourceOf } from './draft.ts'
import { PRESETS, type Preset } from './presets.ts'

/** A value that comes from another setting, and from where that one comes. */
export interface Derived<T> {
  readonly value: T
  /** `route (env CLAIMGATE_ROUTE)`, or undefined when the setting itself was given. */
  readonly from: string | undefined
}

const fromRoute = (draft: Draft): string => `route (${sourceOf(draft, 'route')})`

/** Pomerium names the route host, or with `jwt_issuer_format: uri` its URL, which ends in a slash. */
export function issuers(draft: Draft): Derived<readonly string[]> {
  if (draft.given('issuer')) return { value: draft.get('issuer') ?? [], from: undefined }
  const routes = draft.get('route') ?? []
  const value = routes.flatMap(({ hostname }) => [hostname, `https://${hostname}/`])
  return { value: [...new Set(value)], from: fromRoute(draft) }
}

/** Pomerium names the route host without port. */
export function audiences(draft: Draft): Derived<readonly string[]> {
  if (draft.given('audience')) return { value: draft.get('audience') ?? [], from: undefined }
  const value = (draft.get('route') ?? []).map(({ hostname }) => hostname)
  return { value: [...new Set(value)], from: fromRoute(draft) }
}

/** Undefined with `jwks_file`, and where the first route is a wildcard: no host is known then. */
export function keySetUri(draft: Draft): Derived<URL | undefined> {
  const given = draft.get('jwks_uri')
  if (given !== undefined || draft.given('jwks_file')) return { value: given, from: undefined }
  const [first] = draft.get('route') ?? []
  return { value: first?.jwksUri, from: fromRoute(draft) }
}

/** The preset's identity headers, unless others were given. */
export function identityHeadersOf(draft: Draft): Derived<readonly IdentityHeader[]> {
  if (draft.given('identity_headers'))
    return { value: draft.get('identity_headers') ?? [], from: undefined }
  return { value: presetOf(draft).headers, from: `preset (${sourceOf(draft, 'preset')})` }
}

export const presetOf = (draft: Draft): Preset => PRESETS[draft.get('preset') ?? 'none']
