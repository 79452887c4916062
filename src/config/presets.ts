import type { IdentityHeader } from './config.ts'

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
  {
    separator = ',',
    encoding = 'utf8',
    transforms = [],
  }: Partial<Pick<IdentityHeader, 'separator' | 'encoding' | 'transforms'>> = {},
): IdentityHeader => ({
  header: name,
  claims,
  separator,
  encoding,
  transforms,
  only: [],
  maxBytes: undefined,
})

/** Both read the same headers by default (`[security]` of their app.ini), and allow no `@` in a user name. */
const GITEA_HEADERS = [
  header('X-WEBAUTH-USER', ['email'], { transforms: ['local_part'] }),
  header('X-WEBAUTH-EMAIL', ['email']),
  header('X-WEBAUTH-FULLNAME', ['name']),
] as const

/**
 * `grafana` takes the user name from `email` first: Grafana finds people by what X-WEBAUTH-USER says, and both its own
 * and Pomerium's guides use the e-mail there; `sub` is an opaque id of the identity provider. Service accounts have
 * no e-mail, so `sub` is what remains for them. X-WEBAUTH-ROLE and X-WEBAUTH-GRAFANA-ADMIN, the names of Grafana's own
 * documentation, could make anybody an administrator where Grafana is set up to read them; no claim holds a Grafana role,
 * so they are only stripped.
 *
 * Where an app lets the operator name its headers, a preset takes names of the table that were there before, so that no
 * further name is taken from the clients of other apps. What the app must be set to is in preset-guides.ts.
 *
 * `oauth2-proxy` takes the user from `sub`, as that proxy does, and never passes an access token on.
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
    reserved: ['X-WEBAUTH-ROLE', 'X-WEBAUTH-GRAFANA-ADMIN'],
  },
  gitea: {
    summary:
      'What [Gitea](https://docs.gitea.com/usage/authentication#reverse-proxy) reads with `ENABLE_REVERSE_PROXY_AUTHENTICATION`; the user is what stands before the `@`.',
    headers: GITEA_HEADERS,
    reserved: [],
  },
  forgejo: {
    summary: 'What Forgejo reads, the same as `gitea`.',
    headers: GITEA_HEADERS,
    reserved: [],
  },
  jenkins: {
    summary:
      'The defaults of the [reverse-proxy-auth](https://plugins.jenkins.io/reverse-proxy-auth-plugin) plugin of Jenkins; the user is the e-mail.',
    headers: [
      header('X-Forwarded-User', ['email', 'sub']),
      header('X-Forwarded-Mail', ['email']),
      header('X-Forwarded-DisplayName', ['name']),
      header('X-Forwarded-Groups', ['groups'], { separator: '|' }),
    ],
    reserved: [],
  },
  'remote-user': {
    summary:
      'The names of [Authelia](https://www.authelia.com/integration/trusted-header-sso/introduction/), which NetBox, Paperless-ngx, Seafile and others read; the user is the e-mail.',
    headers: [
      header('Remote-User', ['email', 'sub']),
      header('Remote-Email', ['email']),
      header('Remote-Name', ['name']),
      header('Remote-Groups', ['groups']),
    ],
    reserved: [],
  },
  'oauth2-proxy': {
    summary:
      'What [oauth2-proxy](https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview) sends with `pass_user_headers`.',
    headers: [
      header('X-Forwarded-User', ['sub']),
      header('X-Forwarded-Email', ['email']),
      header('X-Forwarded-Groups', ['groups']),
      header('X-Forwarded-Preferred-Username', ['preferred_username']),
    ],
    reserved: ['X-Forwarded-Access-Token'],
  },
  sonarqube: {
    summary:
      'The defaults of `sonar.web.sso` of [SonarQube](https://docs.sonarsource.com/sonarqube-server/instance-administration/authentication/http-header); the login is the e-mail.',
    headers: [
      header('X-Forwarded-Login', ['email', 'sub']),
      header('X-Forwarded-Name', ['name']),
      header('X-Forwarded-Email', ['email']),
      header('X-Forwarded-Groups', ['groups']),
    ],
    reserved: [],
  },
  'open-webui': {
    summary:
      'For the trusted headers of [Open WebUI](https://docs.openwebui.com/features/sso), which reads the name percent-encoded; people are told apart by their e-mail.',
    headers: [
      header('X-Pomerium-Claim-Email', ['email']),
      header('X-Pomerium-Claim-Name', ['name'], { encoding: 'percent' }),
      header('X-Pomerium-Claim-Groups', ['groups']),
    ],
    reserved: [],
  },
  guacamole: {
    summary:
      'What the [header extension](https://guacamole.apache.org/doc/gug/header-auth.html) of Apache Guacamole reads; the user is the e-mail.',
    headers: [header('REMOTE_USER', ['email', 'sub'])],
    reserved: [],
  },
  netbox: {
    summary:
      'The defaults of the [remote authentication](https://netboxlabs.com/docs/netbox/configuration/remote-authentication) of NetBox; the user is the e-mail.',
    headers: [
      header('Remote-User', ['email', 'sub']),
      header('Remote-User-Email', ['email']),
      header('Remote-User-Group', ['groups'], { separator: '|' }),
    ],
    reserved: ['Remote-User-First-Name', 'Remote-User-Last-Name'],
  },
  'paperless-ngx': {
    summary:
      'What [Paperless-ngx](https://docs.paperless-ngx.com/configuration/) reads with `PAPERLESS_ENABLE_HTTP_REMOTE_USER`; the user is the e-mail.',
    headers: [header('Remote-User', ['email', 'sub'])],
    reserved: [],
  },
  'firefly-iii': {
    summary:
      'For the `remote_user_guard` of [Firefly III](https://docs.firefly-iii.org/how-to/firefly-iii/advanced/authentication/); the user is the e-mail.',
    headers: [header('Remote-User', ['email', 'sub']), header('Remote-Email', ['email'])],
    reserved: [],
  },
  tiddlywiki: {
    summary:
      'For `authenticated-user-header` of [TiddlyWiki](https://tiddlywiki.com/static/WebServer%2520Parameter%253A%2520authenticated-user-header.html), which reads it percent-encoded; the user is the e-mail.',
    headers: [header('Remote-User', ['email', 'sub'], { encoding: 'percent' })],
    reserved: [],
  },
  opensearch: {
    summary:
      'The names in the [guide](https://docs.opensearch.org/latest/security/authentication-backends/proxy/) of OpenSearch and its Dashboards; the user is the e-mail, the roles are the groups.',
    headers: [header('X-Proxy-User', ['email', 'sub']), header('X-Proxy-Roles', ['groups'])],
    reserved: [],
  },
  none: { summary: 'No identity headers.', headers: [], reserved: [] },
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof PRESETS

export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[]
