/** The settings after reading: every default applied, every value checked. Durations are milliseconds, sizes bytes. */

export type Milliseconds = number
export type Bytes = number

/** Where the app is. One origin, no path; an IPv6 `hostname` is without brackets. */
export type UpstreamAddress =
  | { readonly protocol: 'http:' | 'https:'; readonly hostname: string; readonly port: number }
  | { readonly protocol: 'unix:'; readonly path: string }

/** `host` is an address or a name, never in brackets. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** What a listener binds: an address, or the path of a Unix socket. */
export type ListenTarget =
  | (ListenAddress & { readonly path?: never })
  | { readonly path: string; readonly host?: never; readonly port?: never }

/** Files of TLS on the data port, PEM; read again when they change. */
export interface ServerTlsFiles {
  /** The server's certificate, its issuers behind it. */
  readonly certFile: string
  readonly keyFile: string
  /** Who signs the certificates of clients; without it they need none. */
  readonly clientCaFile: string | undefined
}

export const SEPARATORS = [',', '|', 'space', 'json', 'repeat'] as const
export type Separator = (typeof SEPARATORS)[number]

export const ENCODINGS = [
  'utf8',
  'percent',
  'rfc2047',
  'quoted-printable',
  'base64',
  'ascii',
] as const
export type Encoding = (typeof ENCODINGS)[number]

export const TRANSFORMS = ['lower', 'local_part'] as const
export type Transform = (typeof TRANSFORMS)[number]

/** One identity header, in full form. */
export interface IdentityHeader {
  readonly header: string
  /** Claim names in order of preference; the first with a non-empty value is used. */
  readonly claims: readonly string[]
  readonly separator: Separator
  readonly encoding: Encoding
  readonly transforms: readonly Transform[]
  /** Globs (`*` alone is special): only list items that match one are sent. Empty: all. */
  readonly only: readonly string[]
  /** A longer value refuses the request. `undefined`: no limit of its own. */
  readonly maxBytes: Bytes | undefined
}

/** A claim and the globs (`*` alone is special) of which one has to match one of its values. */
export interface ClaimRule {
  readonly claim: string
  readonly globs: readonly string[]
}

/** What a request has to be to pass; every part that is there has to match, and one is. */
export interface AllowEntry {
  /** Exact, or a prefix that ends in `/*`. `undefined`: any. */
  readonly paths: readonly string[] | undefined
  readonly methods: readonly string[] | undefined
  readonly claims: readonly ClaimRule[]
}

export type KeySetSource =
  | {
      readonly kind: 'remote'
      readonly uri: URL
      /** Dial this instead of the URI's host; Host and TLS name stay the URI's. */
      readonly connect: ListenAddress | undefined
      readonly caFiles: readonly string[]
      readonly clientCertFile: string | undefined
      readonly clientKeyFile: string | undefined
      readonly timeout: Milliseconds
      readonly refresh: Milliseconds
      readonly cooldown: Milliseconds
      readonly maxStale: Milliseconds
    }
  | { readonly kind: 'file'; readonly path: string; readonly cooldown: Milliseconds }

export const MODES = ['proxy', 'forward-auth'] as const
export const CORS_PREFLIGHT = ['verify', 'allow', 'pass'] as const
export const SWITCH = ['off', 'on'] as const
export const REPORT_ONLY = ['off', 'unsafe'] as const
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export const LOG_FORMATS = ['json', 'pretty'] as const
export const AUDIT_FIELDS = [
  'request_id',
  'decision',
  'code',
  'would_refuse',
  'status',
  'method',
  'path',
  'sub',
  'email',
  'groups',
  'jti',
  'kid',
  'trace_id',
] as const
export type AuditField = (typeof AUDIT_FIELDS)[number]
export const ERROR_DETAILS = ['code', 'none'] as const

export interface Config {
  /** `undefined` under `mode: forward-auth`: nothing is forwarded, and another proxy asks for decisions. */
  readonly upstream: UpstreamAddress | undefined
  /** Exact strings; a leading `*.` stands for one or more labels. Never empty. */
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly keySet: KeySetSource
  readonly listen: ListenTarget
  readonly adminListen: ListenTarget | undefined
  /** `undefined`: the data port speaks plain HTTP. */
  readonly tls: ServerTlsFiles | undefined
  readonly identityHeaders: readonly IdentityHeader[]
  /** Folded names that some app of the presets believes: stripped from clients whichever preset is chosen. */
  readonly reservedHeaders: readonly string[]
  readonly assertionHeader: string
  readonly forwardAssertion: boolean
  readonly algorithms: readonly string[]
  readonly clockSkew: Milliseconds
  readonly maxAssertionAge: Milliseconds | undefined
  readonly allowAnonymous: boolean
  readonly publicPaths: readonly string[]
  readonly corsPreflight: (typeof CORS_PREFLIGHT)[number]
  /** A request passes when any entry matches. `undefined`: every verified one passes. */
  readonly allow: readonly AllowEntry[] | undefined
  readonly replayGuard: (typeof SWITCH)[number]
  readonly preserveHost: boolean
  readonly upstreamTls: {
    readonly caFile: string | undefined
    readonly serverName: string | undefined
    readonly clientCertFile: string | undefined
    readonly clientKeyFile: string | undefined
  }
  readonly upstreamConnectTimeout: Milliseconds
  /** `undefined`: wait for ever. */
  readonly upstreamResponseTimeout: Milliseconds | undefined
  readonly headerTimeout: Milliseconds
  readonly bodyIdleTimeout: Milliseconds
  readonly keepAliveTimeout: Milliseconds
  readonly maxHeaderSize: Bytes
  readonly maxConnections: number
  /** How long a WebSocket lives at most. `undefined`: as long as both sides like. */
  readonly tunnelMaxAge: Milliseconds | undefined
  readonly drainDelay: Milliseconds
  readonly drainTimeout: Milliseconds
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly logFormat: (typeof LOG_FORMATS)[number]
  /** Whether the line of a request holds the verified e-mail. */
  readonly logEmail: boolean
  /** `stdout`, or the name of a file. `undefined`: no audit log. */
  readonly auditLog: string | undefined
  readonly auditFields: readonly AuditField[]
  /** Whether each request becomes a span of OpenTelemetry. */
  readonly tracing: (typeof SWITCH)[number]
  readonly errorDetail: (typeof ERROR_DETAILS)[number]
  readonly statusPath: string | undefined
  /** `unsafe`: what would be refused for want of identity is forwarded without any. */
  readonly reportOnly: (typeof REPORT_ONLY)[number]
}
