import type { Encoding, IdentityHeader, Separator } from './config.ts'

/** The identity headers of a known app. */
export interface Preset {
  readonly headers: readonly IdentityHeader[]
  /** Further headers that the app would believe: always stripped, never set. */
  readonly reserved: readonly string[]
  /** For the reference: whose headers these are. */
  readonly summary: string
}

const header = (
  name: string,
  claims: readonly string[],
  { separator = ',', encoding = 'utf8' }: { separator?: Separator; encoding?: Encoding } = {},
): IdentityHeader => ({
  header: name,
  claims,
  separator,
  encoding,
  transforms: [],
  only: [],
  maxBytes: undefined,
})

/**
 * `grafana` takes the user name from `email` first: Grafana finds people by what X-WEBAUTH-USER says, and both its own
 * and Pomerium's guides use the e-mail there; `sub` is an opaque id of the identity provider. Service accounts have
 * no e-mail, so `sub` is what remains for them. X-WEBAUTH-ROLE could make anybody an administrator where Grafana is
 * set up to read it; no claim holds a Grafana role, so it is only stripped.
 */
export const PRESETS = {
  pomerium: {
    summary: 'The names Pomerium itself uses: `X-Pomerium-Claim-…`.',
    headers: [
      header('X-Pomerium-Claim-Sub', ['sub']),
      header('X-Pomerium-Claim-User', ['user']),
      header('X-Pomerium-Claim-Email', ['email']),
      header('X-Pomerium-Claim-Name', ['name']),
      header('X-Pomerium-Claim-Groups', ['groups']),
    ],
    reserved: [],
  },
  'pomerium-legacy': {
    summary: 'The names of Pomerium before v0.7: `X-Pomerium-Authenticated-User-…`.',
    headers: [
      header('X-Pomerium-Authenticated-User-Id', ['sub']),
      header('X-Pomerium-Authenticated-User-Email', ['email']),
      header('X-Pomerium-Authenticated-User-Groups', ['groups']),
    ],
    reserved: [],
  },
  grafana: {
    summary: 'What Grafana reads with `auth.proxy`: `X-WEBAUTH-…`; the user is the e-mail.',
    headers: [
      header('X-WEBAUTH-USER', ['email', 'sub']),
      header('X-WEBAUTH-EMAIL', ['email']),
      header('X-WEBAUTH-NAME', ['name']),
      header('X-WEBAUTH-GROUPS', ['groups']),
    ],
    reserved: ['X-WEBAUTH-ROLE'],
  },
  none: { summary: 'No identity headers.', headers: [], reserved: [] },
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof PRESETS

/** Presets with a name but no row yet. */
export const COMING_PRESETS = [
  'gitea',
  'forgejo',
  'jenkins',
  'remote-user',
  'oauth2-proxy',
] as const
