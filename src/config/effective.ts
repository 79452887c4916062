import type { IdentityHeader } from './config.ts'
import { audiences, type Derived, identityHeadersOf, issuers, keySetUri } from './derive.ts'
import type { Draft } from './draft.ts'
import { show } from './input.ts'
import type { SettingName } from './setting.ts'
import { SETTING_NAMES, settingOf } from './settings.ts'

/** A setting as it is in effect, for people and logs. */
export interface EffectiveValue {
  readonly name: SettingName
  /** As an operator would write it, without secrets; undefined: not set. */
  readonly value: string | undefined
  /** `env CLAIMGATE_ROUTE`, `config.yaml:12:9`, `route (flag --route)`, `default`, `not set`. */
  readonly source: string
}

/** All settings in the order of the reference. */
export const effectiveValues = (draft: Draft): EffectiveValue[] =>
  SETTING_NAMES.map((name) => {
    const given = draft.given(name)
    if (given !== undefined) return { name, value: show(given), source: given.source }
    const { fallback: value } = settingOf(name)
    const source = value === undefined ? 'not set' : 'default'
    return derivedValue(draft, name) ?? { name, value, source }
  })

const DERIVED: {
  readonly [Name in SettingName]?: (draft: Draft) => Derived<string | undefined>
} = {
  issuer: (draft) => shown(issuers(draft), (names) => names.join(', ')),
  audience: (draft) => shown(audiences(draft), (names) => names.join(', ')),
  jwks_uri: (draft) => shown(keySetUri(draft), (uri) => uri?.href),
  identity_headers: (draft) =>
    shown(identityHeadersOf(draft), (headers) => headers.map(mapping).join(', ')),
}

function derivedValue(draft: Draft, name: SettingName): EffectiveValue | undefined {
  const { value = '', from } = DERIVED[name]?.(draft) ?? {}
  return from === undefined || value === '' ? undefined : { name, value, source: from }
}

const shown = <T>(
  { value, from }: Derived<T>,
  text: (value: T) => string | undefined,
): Derived<string | undefined> => ({ value: text(value), from })

const mapping = ({ header, claims }: IdentityHeader): string =>
  `${header}=${claims.length === 1 ? claims[0] : `[${claims.join(', ')}]`}`
