import {
  AUDIT_FIELDS,
  ERROR_DETAILS,
  LOG_FORMATS,
  LOG_LEVELS,
  REPORT_ONLY,
  SWITCH,
} from '../config.ts'
import { serverName } from '../hosts.ts'
import { boolean, choice, filePath, integer, list, orWord } from '../kinds.ts'
import { plainPath } from '../names.ts'
import { duration, size } from '../quantities.ts'
import type { Rows, SettingName } from '../setting.ts'
import type { IDENTITY } from './identity.ts'
import type { TRUST } from './trust.ts'

/** How requests are forwarded, bounded, ended and told about. */
export const TRAFFIC = {
  preserve_host: {
    kind: boolean,
    fallback: 'true',
    summary: "Send the client's Host to the app; `false` sends the upstream's.",
  },
  upstream_ca_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/upstream-ca.pem',
    summary:
      'PEM file with the certificate authorities for an `https:` upstream. Its certificate is always verified.',
  },
  upstream_server_name: {
    kind: serverName,
    fallback: undefined,
    example: 'app.internal',
    otherwise: 'host of `upstream`',
    summary: 'The name to send and to check in TLS to the upstream.',
  },
  upstream_client_cert_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/upstream-client.pem',
    summary: 'PEM client certificate for the upstream; needs `upstream_client_key_file`.',
  },
  upstream_client_key_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/upstream-client-key.pem',
    summary: 'PEM private key of `upstream_client_cert_file`.',
  },
  upstream_connect_timeout: {
    kind: duration('100ms', '10m'),
    fallback: '5s',
    summary: 'Longest time to connect to the upstream, 100ms to 10m.',
  },
  upstream_response_timeout: {
    kind: orWord('off', duration('100ms', '24h')),
    fallback: '5m',
    summary: 'Longest wait for the first byte of the answer, 100ms to 24h.',
  },
  header_timeout: {
    kind: duration('100ms', '10m'),
    fallback: '15s',
    summary: "Longest time for a client to send a request's headers, 100ms to 10m.",
  },
  body_idle_timeout: {
    kind: duration('100ms', '24h'),
    fallback: '60s',
    summary: 'Longest pause of a client within a body, 100ms to 24h.',
  },
  keep_alive_timeout: {
    kind: duration('100ms', '24h'),
    fallback: '65m',
    summary:
      'How long an idle client connection stays open, 100ms to 24h. The default outlives the hour that Envoy in Pomerium keeps one.',
  },
  max_header_size: {
    kind: size('8KiB', '1MiB'),
    fallback: '128KiB',
    summary: "Largest request head, 8KiB to 1MiB. The default is Pomerium's own limit.",
  },
  max_connections: {
    kind: integer(1, 1_000_000),
    fallback: '10000',
    summary: 'Most client connections at once, 1 to 1000000; further ones are refused.',
  },
  tunnel_max_age: {
    kind: orWord('off', duration('1s', '576h')),
    fallback: 'off',
    summary:
      'Longest life of a WebSocket, 1s to 576h; each is closed up to a tenth earlier, with status 1001, so that clients connect again and are decided about again.',
  },
  drain_delay: {
    kind: duration('0s', '10m'),
    fallback: '5s',
    summary: 'After SIGTERM: how long to go on accepting while not ready, 0s to 10m.',
  },
  drain_timeout: {
    kind: duration('100ms', '1h'),
    fallback: '25s',
    summary: 'On SIGTERM, how long until what is left is cut, `drain_delay` included, 100ms to 1h.',
  },
  tls_cert_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/tls.crt',
    otherwise: 'plain HTTP',
    summary:
      'PEM certificate of the data port, followed by its issuers; needs `tls_key_file`. Read again when it changes, as are the next two.',
  },
  tls_key_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/tls.key',
    summary: 'PEM private key of `tls_cert_file`, without a passphrase.',
  },
  tls_client_ca_file: {
    kind: filePath,
    fallback: undefined,
    example: '/etc/claimgate/client-ca.pem',
    otherwise: 'no client certificate is asked for',
    summary:
      'PEM certificate authorities of clients. Who shows no certificate that one of them signed is refused in the handshake.',
  },
  log_level: {
    kind: choice(LOG_LEVELS),
    fallback: 'info',
    summary: 'The least severe lines that are logged.',
  },
  log_format: {
    kind: choice(LOG_FORMATS),
    fallback: 'json',
    summary: '`json` for machines, `pretty` for people.',
  },
  log_email: {
    kind: boolean,
    fallback: 'true',
    summary: 'Whether the log line of a request holds the verified `email`.',
  },
  audit_log: {
    kind: { ...orWord('off', filePath), form: '`off`, `stdout` or file' },
    fallback: 'off',
    summary:
      'Where a line for each decision goes, apart from the log: `stdout`, or a file that is appended to.',
  },
  audit_fields: {
    kind: { ...list(choice(AUDIT_FIELDS)), form: 'list of names' },
    fallback: undefined,
    example: 'request_id,decision,code,status,method,path,sub',
    otherwise: 'all but `groups`',
    summary: `What a line of \`audit_log\` holds besides its \`time\`: ${AUDIT_FIELDS.map((field) => `\`${field}\``).join(', ')}.`,
  },
  tracing: {
    kind: choice(SWITCH),
    fallback: 'off',
    summary:
      'With `on`, each request becomes a span of OpenTelemetry: needs `@opentelemetry/api` and an SDK beside claimgate.',
  },
  error_detail: {
    kind: choice(ERROR_DETAILS),
    fallback: 'code',
    summary: 'What a refusal says: its `code`, or `none`.',
  },
  status_path: {
    kind: orWord('off', plainPath),
    fallback: '/.claimgate',
    summary: 'Path of the page, or JSON, that shows visitors their own verified identity.',
  },
  report_only: {
    kind: choice(REPORT_ONLY),
    fallback: 'off',
    summary:
      'For a roll-out: with `unsafe`, requests that would be refused for want of identity are logged and counted, and forwarded without identity headers. Nobody is kept out then.',
  },
} as const satisfies Rows<Exclude<SettingName, keyof typeof TRUST | keyof typeof IDENTITY>>
