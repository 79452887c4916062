import { request as sendRequest } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Sent {
  readonly method?: string
  readonly target?: string
  /** Raw lines: name, value, name, value. `Host` and, for a body, `Content-Length` are added where needed. */
  readonly headers?: readonly string[]
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly statusMessage: string
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

const ANSWER_TIMEOUT_MS = 20_000

/** One request on a connection of its own, with exactly these header lines. */
export const send = (
  origin: string,
  { method = 'GET', target = '/', headers = [], body }: Sent = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(origin)
    const has = (wanted: string) =>
      headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === wanted)
    const isSized = body === undefined || has('transfer-encoding')
    const length = isSized ? [] : ['Content-Length', String(Buffer.byteLength(body))]
    const socket = connect(Number(port), hostname)
    const request = sendRequest({
      createConnection: () => (has('connection') ? socket : withoutConnection(socket)),
      method,
      path: target,
      headers: [...(has('host') ? [] : ['Host', host]), ...headers, ...length],
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          statusMessage: response.statusMessage ?? '',
          rawHeaders: response.rawHeaders,
          body: Buffer.concat(chunks),
        }),
      )
    })
    request.end(body)
  })

/** Node says `Connection` by itself where the request does not; here it does not. */
function withoutConnection(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (chunk: unknown, ...rest: unknown[]) => boolean
  socket.write = (chunk: unknown, ...rest: unknown[]) =>
    write(
      typeof chunk === 'string' ? chunk.replace(/\r\nConnection: [a-z-]+\r\n/, '\r\n') : chunk,
      ...rest,
    )
  return socket
}

const POLL_MS = 25
const WAIT_MS = 15_000

/** Asks again and again until the answer is true; throws after 15 s. */
export const waitFor = async (holds: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + WAIT_MS
  while (Date.now() < deadline) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`it did not become true within ${WAIT_MS} ms`)
}
