import type { PresetName } from './presets.ts'

/** What stands on the other side of a preset. */
export interface PresetGuide {
  /** Where the settings of the app belong. */
  readonly place: string
  /** Lines for that place, as the app wants them. */
  readonly app: readonly string[]
  /** How the app is told whom to believe, or that it cannot be told. */
  readonly trustedProxy: string
}

/** For apps that look at nobody's address. */
const NO_CHECK =
  'its documents name none: it believes whoever reaches it, so let nobody but claimgate'

const GITEA: PresetGuide = {
  place: 'app.ini',
  app: [
    '[service]',
    'ENABLE_REVERSE_PROXY_AUTHENTICATION = true',
    'ENABLE_REVERSE_PROXY_AUTO_REGISTRATION = true',
    'ENABLE_REVERSE_PROXY_EMAIL = true',
    'ENABLE_REVERSE_PROXY_FULL_NAME = true',
  ],
  trustedProxy:
    'in [security]: REVERSE_PROXY_TRUSTED_PROXIES = the address of claimgate; older container images have *, which is everybody',
}

/** By the documentation that the summary of each preset links, and the sources of the apps. */
export const PRESET_GUIDES: Readonly<Record<PresetName, PresetGuide>> = {
  pomerium: {
    place: 'the app',
    app: ['reads X-Pomerium-Claim-…, as it would with jwt_claims_headers of Pomerium'],
    trustedProxy: NO_CHECK,
  },
  'pomerium-legacy': {
    place: 'the app',
    app: ['reads X-Pomerium-Authenticated-User-…, as Pomerium before v0.7 sent it'],
    trustedProxy: NO_CHECK,
  },
  grafana: {
    place: 'environment',
    app: [
      'GF_AUTH_PROXY_ENABLED=true',
      'GF_AUTH_PROXY_HEADER_NAME=X-WEBAUTH-USER',
      'GF_AUTH_PROXY_HEADERS=Email:X-WEBAUTH-EMAIL Name:X-WEBAUTH-NAME Groups:X-WEBAUTH-GROUPS',
      'GF_USERS_AUTO_ASSIGN_ORG_ROLE=Viewer',
    ],
    trustedProxy: 'GF_AUTH_PROXY_WHITELIST= the address of claimgate; empty is everybody',
  },
  gitea: GITEA,
  forgejo: GITEA,
  jenkins: {
    place: 'Manage Jenkins, Security, "HTTP Header by reverse proxy"',
    app: [
      'Header User Name: X-Forwarded-User',
      'Header User Mail: X-Forwarded-Mail',
      'Header Display Name: X-Forwarded-DisplayName',
      'Header Groups Name: X-Forwarded-Groups',
      'Header Groups Delimiter Name: |',
    ],
    trustedProxy: NO_CHECK,
  },
  'remote-user': {
    place: 'the app',
    app: [
      'reads Remote-User, Remote-Email, Remote-Name and Remote-Groups',
      'as a CGI variable or in Django: HTTP_REMOTE_USER',
    ],
    trustedProxy: 'where the app has a list of trusted proxies: the address of claimgate alone',
  },
  'oauth2-proxy': {
    place: 'the app',
    app: ['reads X-Forwarded-User, -Email, -Groups and -Preferred-Username'],
    trustedProxy: 'where the app has a list of trusted proxies: the address of claimgate alone',
  },
  sonarqube: {
    place: 'conf/sonar.properties',
    app: ['sonar.web.sso.enable=true'],
    trustedProxy: NO_CHECK,
  },
  'open-webui': {
    place: 'environment',
    app: [
      'WEBUI_AUTH_TRUSTED_EMAIL_HEADER=X-Pomerium-Claim-Email',
      'WEBUI_AUTH_TRUSTED_NAME_HEADER=X-Pomerium-Claim-Name',
      'WEBUI_AUTH_TRUSTED_GROUPS_HEADER=X-Pomerium-Claim-Groups',
    ],
    trustedProxy: NO_CHECK,
  },
  guacamole: {
    place: 'guacamole.properties, with guacamole-auth-header in extensions/',
    app: ['http-auth-header: REMOTE_USER'],
    trustedProxy: NO_CHECK,
  },
  netbox: {
    place: 'configuration.py',
    app: [
      'REMOTE_AUTH_ENABLED = True',
      'REMOTE_AUTH_AUTO_CREATE_USER = True',
      'REMOTE_AUTH_GROUP_SYNC_ENABLED = True',
    ],
    trustedProxy: NO_CHECK,
  },
  'paperless-ngx': {
    place: 'environment',
    app: [
      'PAPERLESS_ENABLE_HTTP_REMOTE_USER=true',
      'PAPERLESS_HTTP_REMOTE_USER_HEADER_NAME=HTTP_REMOTE_USER',
    ],
    trustedProxy: NO_CHECK,
  },
  'firefly-iii': {
    place: 'environment',
    app: [
      'AUTHENTICATION_GUARD=remote_user_guard',
      'AUTHENTICATION_GUARD_HEADER=HTTP_REMOTE_USER',
      'AUTHENTICATION_GUARD_EMAIL=HTTP_REMOTE_EMAIL',
    ],
    trustedProxy: NO_CHECK,
  },
  tiddlywiki: {
    place: 'command line',
    app: ['tiddlywiki WIKI --listen host=127.0.0.1 authenticated-user-header=Remote-User'],
    trustedProxy: NO_CHECK,
  },
  opensearch: {
    place: 'config.yml of the security plugin; opensearch_dashboards.yml',
    app: [
      'config.dynamic.http.xff: {enabled: true, remoteIpHeader: x-forwarded-for}',
      'http_authenticator: {type: proxy, config: {user_header: x-proxy-user, roles_header: x-proxy-roles}}',
      'opensearch_security.auth.type: proxy',
      'opensearch_security.proxycache.user_header: x-proxy-user',
      'opensearch_security.proxycache.roles_header: x-proxy-roles',
    ],
    trustedProxy: 'xff.internalProxies: a regular expression for the address of claimgate alone',
  },
  none: {
    place: 'the app',
    app: ['gets no identity; it has a login of its own, or needs none'],
    trustedProxy: 'it believes no header',
  },
}
