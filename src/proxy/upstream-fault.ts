/** How a connection to the upstream, or the answer on it, can fail; the name is for the log. */
export type FaultCode =
  /** The other side ended the connection before the answer was whole. */
  | 'UPSTREAM_CLOSED'
  /** No head of an answer came within `upstream_response_timeout`. */
  | 'UPSTREAM_SILENT'
  /** What came is no answer by RFC 9112, or one that cannot be passed on as what it is. */
  | 'ANSWER_MALFORMED'
  /** Its head is larger than `max_header_size`. */
  | 'ANSWER_HEAD_TOO_LARGE'

/** Never holds what an upstream sent: `detail` is one of a few fixed texts. */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault'
  readonly code: FaultCode

  constructor(code: FaultCode, detail: string) {
    super(detail)
    this.code = code
  }
}

/** For the log: the code or name of a fault, never its message. */
export function faultName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
