/**
 * Every refusal a client can meet, as one table: the answer, the log line, the metric label and docs/errors.md
 * use the same code. A code is public and is never renamed or reused.
 */
export const CODES = {
  ERR_REQUEST_MALFORMED: { status: 400, title: 'The request is not well-formed HTTP' },
  ERR_ASSERTION_MISSING: { status: 401, title: 'The request carries no assertion' },
  ERR_ASSERTION_EMPTY: { status: 401, title: 'The assertion header is empty' },
  ERR_ASSERTION_DUPLICATE: { status: 401, title: 'The request carries more than one assertion' },
  ERR_ASSERTION_TOO_LARGE: { status: 401, title: 'The assertion is too large' },
  ERR_ASSERTION_MALFORMED: { status: 401, title: 'The assertion is not a compact JWS' },
  ERR_ASSERTION_ALGORITHM: {
    status: 401,
    title: 'The assertion uses an algorithm that is not allowed',
  },
  ERR_ASSERTION_CRITICAL: {
    status: 401,
    title: 'The assertion asks for an extension that is not supported',
  },
  ERR_ASSERTION_KEY_UNKNOWN: {
    status: 401,
    title: 'The assertion names a key that is not in the key set',
  },
  ERR_ASSERTION_SIGNATURE: { status: 401, title: 'The signature of the assertion does not verify' },
  ERR_ASSERTION_ISSUER: { status: 401, title: 'The assertion comes from another issuer' },
  ERR_ASSERTION_AUDIENCE: { status: 401, title: 'The assertion is meant for another audience' },
  ERR_ASSERTION_EXPIRED: { status: 401, title: 'The assertion has expired' },
  ERR_ASSERTION_NOT_YET_VALID: { status: 401, title: 'The assertion is not valid yet' },
  ERR_ASSERTION_CLAIM: { status: 401, title: 'A claim is absent or cannot be used' },
  ERR_ASSERTION_ANONYMOUS: { status: 401, title: 'The assertion names no user' },
  ERR_ASSERTION_REPLAYED: { status: 401, title: 'The assertion was used before' },
  ERR_POLICY_DENIED: { status: 403, title: 'The rules do not allow this request' },
  ERR_KEY_SET_UNAVAILABLE: { status: 503, title: 'The key set is not available' },
  ERR_UPSTREAM_UNAVAILABLE: { status: 502, title: 'The app did not answer' },
  ERR_UPSTREAM_TIMEOUT: { status: 504, title: 'The app did not answer in time' },
  ERR_OVERLOADED: { status: 503, title: 'Too many requests at once' },
  ERR_DRAINING: { status: 503, title: 'This instance is shutting down' },
} as const satisfies Record<string, { status: number; title: string }>

export type Code = keyof typeof CODES

/** What no entry of `allow` has for a request: the first of these that is missing. */
export type MissingRule = 'path' | 'method' | 'claims'

export interface RejectedOptions {
  /** Answer with this status instead of the table's: 405, 408, 417, 431, 501, 505 for malformed HTTP. */
  readonly status?: number
  /** For the log alone: which check failed. Never holds a byte of the request. */
  readonly reason?: string
  /** Of `ERR_POLICY_DENIED`: the kind of rule that is missing, which a page may tell. */
  readonly missingRule?: MissingRule | undefined
  /** With 405: the methods that this target takes. */
  readonly allow?: string | undefined
  readonly cause?: unknown
}

/** The request is answered here with `code`; nothing (more) of it reaches the upstream. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError'
  readonly code: Code
  readonly status: number
  readonly reason: string | undefined
  readonly missingRule: MissingRule | undefined
  readonly allow: string | undefined

  constructor(code: Code, options: RejectedOptions = {}) {
    const limit = Error.stackTraceLimit
    // A refusal says where it comes from by its code. To write down the stack costs a tenth of all that a refusal costs.
    Error.stackTraceLimit = 0
    super(CODES[code].title, options.cause === undefined ? undefined : { cause: options.cause })
    Error.stackTraceLimit = limit
    this.code = code
    this.status = options.status ?? CODES[code].status
    this.reason = options.reason
    this.missingRule = options.missingRule
    this.allow = options.allow
  }
}

/** One thing wrong with the settings. */
export interface Problem {
  /** Where the value came from: `config.yaml:12:9`, `env CLAIMGATE_ROUTE`, `flag --route`, `default`. */
  readonly source: string
  /** What was found, what is wanted, and which setting to change: one sentence without a final period. */
  readonly message: string
}

/** The settings cannot be used. Holds every problem, not only the first; the program exits with 78 (EX_CONFIG). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ source, message }) => `${source}: ${message}`).join('\n'))
    this.problems = problems
  }
}
