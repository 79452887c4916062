import { exampleText, presetsTable, schemaText, settingsTable } from './reference.ts'

/** The text of docs/configuration.md. */
export const configurationGuide = (): string => `# Configuration

<!-- Written by \`npm run docs\` from the table in src/config/settings.ts. -->

\`\`\`sh
CLAIMGATE_UPSTREAM=http://127.0.0.1:3000 CLAIMGATE_ROUTE=https://app.example.com claimgate
\`\`\`

A setting \`some_name\` is written in three places. A flag wins over the environment, that over the
file, that over the default.

| where | how |
| --- | --- |
| flag | \`--some-name VALUE\` or \`--some-name=VALUE\` |
| environment | \`CLAIMGATE_SOME_NAME=VALUE\`; \`CLAIMGATE_SOME_NAME_FILE=PATH\` takes the value from that file, less one final line break |
| YAML file | \`some_name: VALUE\`, in the file of \`--config\` or \`CLAIMGATE_CONFIG\` ([config.example.yaml](../config.example.yaml), [config.schema.json](../config.schema.json)) |

- A duration is a whole number and its unit: \`500ms\`, \`60s\`, \`10m\`, \`24h\`. So is a size: \`512B\`, \`64KiB\`, \`1MiB\`.
- A list is comma separated (blanks around a comma do not count), or a YAML list. File names are relative to the working directory.
- An unknown name, a key given twice, an empty value, white space around a value and a value out of range are problems. So are YAML aliases and tags. All problems are reported at once, each with its source, what is wanted and what was found; the exit code is 78.
- \`claimgate check\` shows every setting in effect and where it comes from.
- Kubernetes service links (\`CLAIMGATE_SERVICE_HOST\`, \`CLAIMGATE_PORT_8000_TCP\`, …) are not settings and are ignored; \`CLAIMGATE_PORT\` too.
- With \`NODE_TLS_REJECT_UNAUTHORIZED=0\`, or \`--insecure-http-parser\` in \`NODE_OPTIONS\`, claimgate does not start.

## Settings

${settingsTable()}
## Reload

SIGHUP reads all settings again; so does a change of the YAML file or of a \`_FILE\` of the environment, within
seconds. New requests are decided and forwarded under the new settings; those under way, and open WebSockets, end under
the ones they began with. Nothing is lost: connections stay open.

- All or nothing. When anything is wrong, every problem is logged as at the start, and the settings in use stay.
- Another key set is loaded first. Until then all requests go on under the old settings, \`/reloadz\` on the admin port
  says \`"waiting":true\`, and so it stays while that key set cannot be loaded.
- \`listen\`, \`admin_listen\`, \`log_format\`, \`audit_log\`, \`audit_fields\`, \`tracing\`, \`mode\`, TLS on or off, client
  certificates on or off, and under a
  \`replay_guard\` \`clock_skew\`, need a restart: a reload that changes one of them is refused and names it.
- The files of \`tls_*\` and \`jwks_file\` are watched on their own; those of \`upstream_*\` are read again with a reload.

## From Pomerium's verify app

These variables mean what they mean there. The \`CLAIMGATE_\` variable of the same setting wins.

| variable | setting |
| --- | --- |
| \`JWKS_ENDPOINT\` | \`jwks_uri\` |
| \`EXPECTED_JWT_ISSUER\` | \`issuer\` |
| \`EXPECTED_JWT_AUDIENCE\` | \`audience\` |
| \`EXTRA_CA_CERTS\` | \`jwks_ca_file\` |

## Presets

${presetsTable()}
\`claimgate preset NAME\` prints one of them with what the app must be set to, its trusted proxy, and a settings file
to begin with.

Every header in the second and third column is stripped from clients, in any spelling, also when
\`identity_headers\` replaces the preset's. For \`grafana\` the user name is the e-mail, because Grafana
knows people by it and \`sub\` is an opaque identifier; service accounts have no e-mail, so theirs is
\`sub\`. Nothing sets \`X-WEBAUTH-ROLE\` and \`X-WEBAUTH-GRAFANA-ADMIN\`: no claim holds a Grafana role.

- **Gitea and Forgejo** allow no \`@\` in a user name, so it is what stands before it: \`ann@example.com\` is \`ann\`,
  and so is \`ann@example.org\`. With addresses of several domains two people would be one user; claimgate warns at
  start unless each entry of \`allow\` names one and the same domain, \`email: ["*@example.com"]\`, or
  \`identity_headers\` takes the name from another claim. Who has no e-mail is not signed in. They read e-mail and
  full name only with \`ENABLE_REVERSE_PROXY_EMAIL\` and \`ENABLE_REVERSE_PROXY_FULL_NAME\`.
  \`REVERSE_PROXY_TRUSTED_PROXIES\` keeps nobody from sending these headers: see [there](guides/gitea-forgejo.md).
- **Jenkins** splits groups at \`|\`; a group that holds one is left out.
- **Authelia's names**: NetBox has a preset of its own, since it splits groups at \`|\` and has another name for them.
- **SonarQube** says of its login that letters, digits, \`.\` and \`@\` are allowed.
- **Open WebUI and TiddlyWiki** decode percent-encoding, so a name may hold any letter.
- **oauth2-proxy** sets \`X-Forwarded-User\` to \`sub\`. \`preferred_username\` is in an assertion only when
  Pomerium's \`jwt_claims_headers\` names it. An access token of the user is never passed on.

The presets other than \`pomerium\`, \`pomerium-legacy\` and \`none\` follow the documents linked here. They were not
tried with these apps.

## Identity headers

\`\`\`yaml
identity_headers:
  X-WEBAUTH-USER: email
  X-WEBAUTH-NAME: [name, email]
  X-WEBAUTH-GROUPS:
    claim: groups
    separator: "|"
    encoding: percent
    transform: lower
    only: ["team-*", admins]
    max_bytes: 4096
\`\`\`

| part | meaning |
| --- | --- |
| \`claim\` | a claim, or a list of claims of which the first non-empty one is used; a literal name wins over a dotted path |
| \`separator\` | between the items of a list: \`,\` (the default), \`\\|\`, \`space\`, \`json\` (the list as JSON), \`repeat\` (one line each) |
| \`encoding\` | \`utf8\` (the default), \`percent\`, \`rfc2047\`, \`quoted-printable\`, \`base64\`, \`ascii\` (other characters refuse the request) |
| \`transform\` | \`lower\`, \`local_part\` (of an e-mail address), or both in a list |
| \`only\` | globs, where \`*\` stands for any characters: only items that match one are sent |
| \`max_bytes\` | 1 to 65536: a longer value refuses the request |

Headers that frame, route or secure a request (\`Host\`, \`Content-Length\`, \`Connection\`, \`Cookie\`,
\`Authorization\`, \`X-Forwarded-For\`, \`Proxy-…\`, …) cannot be identity headers, nor can the one that
carries the assertion.

## Rules

\`allow\` says who of the verified users may pass. A request passes when any entry matches; when none does,
the answer is 403 with [ERR_POLICY_DENIED](errors.md#err_policy_denied).

\`\`\`yaml
allow:
  - claims:
      groups: [admins, "ops-*"]
  - paths: [/, /reports/*]
    methods: [GET, HEAD]
    claims:
      groups: [staff]
      email: ["*@example.com"]
  - paths: [/.claimgate] # everybody sees what is known of them
\`\`\`

| part | matches |
| --- | --- |
| \`paths\` | a path as it was sent, without its query: byte for byte, or below a prefix such as \`/reports/*\` |
| \`methods\` | the method; \`GET\` does not include \`HEAD\` |
| \`claims\` | when every claim that is named has a value that matches one of its globs, where \`*\` stands for any characters and case counts |

- An entry has at least one part, and all its parts have to match; a part that is left out matches everything. To let everybody in, say so: \`paths: ["/*"]\`.
- The values of a claim are the items of a list, or the one text, number or truth value that it is. A claim that is absent or empty matches nothing, not even \`*\`; nor do objects, inexact numbers, and texts with control characters or blanks at an end. A literal name wins over a dotted path.
- Rules add up: an entry can let somebody in, and never keep somebody out whom another one lets in.
- \`/reports/*\` is for \`/reports/\` and all below it, not for \`/reports\`. A path that servers may read differently is below no prefix, not even \`/*\`: one with dot segments, \`//\`, \`\\\`, \`;\`, an encoded \`/ \\ . ; ? # %\`, control characters, broken escapes, or characters that turn into those. An entry without \`paths\` does not look at the path.
- \`public_paths\` need no rule, nor does a preflight that \`cors_preflight: allow\` or \`pass\` lets through. The status page needs one like any other path.
- With \`allow_anonymous\`, a visitor without identity has no claims and passes only by an entry without \`claims\`.
- Rules stand in the YAML file; flags and environment have no form for them.

## Names that are compared

Pomerium signs \`aud\` as the host of the route without port, and \`iss\` the same or, with
\`jwt_issuer_format: uri\`, as \`https://host/\`. \`route\` gives all of these. Before v0.21.3 \`iss\` is the
host of the authenticate service: set \`issuer\` then. A leading \`*.\` in \`issuer\` or \`audience\`
(\`*.example.com\`, \`https://*.example.com/\`) stands for one or more labels, for wildcard routes;
such a route names no host that serves the key set, so \`jwks_uri\` or \`jwks_file\` must be set with it.
`

/** The files that are written from the table of settings, from the root of the project. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationGuide,
  'config.schema.json': schemaText,
  'config.example.yaml': exampleText,
}
