import { RejectedError } from '../errors.ts'

/** Answers to what the parser refused; all other of its errors are 400. */
const PARSER_STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_VERSION: 505,
}

/** What Node's parser tells of bytes that it refused. */
export type ParserFault = NodeJS.ErrnoException & {
  readonly rawPacket?: Buffer
  readonly bytesParsed?: number
}

/** The refusal of what is not HTTP. */
export function malformed(error: ParserFault): RejectedError {
  const reason = error.code ?? 'parser error'
  const status = isAboutVersion(error) ? (PARSER_STATUS[reason] ?? 400) : 400
  return new RejectedError('ERR_REQUEST_MALFORMED', { status, reason })
}

/** A line that ends with a bare LF is called a bad version, too, behind one that is good. */
function isAboutVersion({ code, rawPacket, bytesParsed = 0 }: ParserFault): boolean {
  if (code !== 'HPE_INVALID_VERSION') return true
  return !/\/1\.[01]$/.test(rawPacket?.toString('latin1', 0, bytesParsed) ?? '')
}
