/** Fields of a browser behind Pomerium, and one that a client has forged. */
export const CLIENT_FIELDS: readonly string[] = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.7,sl;q=0.3',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Cookie: app_session=5d41402abc4b2a76b9719d911017c592; theme=dark',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Proto: https',
  'X-Request-Id: 7b1c2a52-5f5e-4c0c-9a51-60d5f0a7b6e1',
  'X-Pomerium-Claim-Email: root@example.com',
]

/** The value of the forged field: it may arrive nowhere. */
export const FORGED = 'root@example.com'

export const ASSERTION_HEADER = 'X-Pomerium-Jwt-Assertion'

export interface RequestShape {
  readonly method: string
  readonly target: string
  readonly host: string
  /** Bytes of body; `0` sends no body and no length. */
  readonly body: number
}

/** The bytes of one request, without its body. `token` `''` sends no assertion. */
export function requestHead({ method, target, host, body }: RequestShape, token: string): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...CLIENT_FIELDS,
    ...(body > 0 ? [`Content-Length: ${body}`, 'Content-Type: application/octet-stream'] : []),
    ...(token === '' ? [] : [`${ASSERTION_HEADER}: ${token}`]),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** Up to this size head and body are one buffer, and so one write. */
const MAX_JOINED = 64 * 1024

/** What is written for one request: one buffer, or head and body. */
export type RequestBytes = readonly Buffer[]

/** One request for each token. A long body is one buffer that all share. */
export function prepareRequests(
  shape: RequestShape,
  tokens: readonly string[],
): readonly RequestBytes[] {
  const body = Buffer.alloc(shape.body, 'x')
  return tokens.map((token) => {
    const head = requestHead(shape, token)
    if (body.length === 0) return [head]
    return body.length > MAX_JOINED ? [head, body] : [Buffer.concat([head, body])]
  })
}
