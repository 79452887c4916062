import { createHash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Test } from 'tap'

/** What the server saw of one request. */
export interface SeenRequest {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  /** The server name of TLS; `undefined` in plain text or when the client sent none. */
  readonly serverName: string | undefined
}

export type Answering = (response: ServerResponse, request: SeenRequest) => void

export interface JwksServer {
  readonly port: number
  /** `http(s)://127.0.0.1:port/.well-known/pomerium/jwks.json`. */
  readonly uri: URL
  readonly requests: readonly SeenRequest[]
  /** How many connections are open. */
  readonly connections: () => number
  /** From now on answers like this. */
  readonly answer: (answering: Answering) => void
  /** From now on answers as Pomerium does: `max-age=60`, an entity tag, 304. */
  readonly serve: (jwks: unknown) => void
  /** Closes the port and all connections; called by teardown too. */
  readonly stop: () => Promise<void>
}

/**
 * A key set endpoint on loopback whose answers a test scripts. It answers 503 until told otherwise. With `tls` it
 * speaks https; `port` opens it where an earlier one was.
 */
export async function startJwksServer(
  t: Pick<Test, 'teardown'>,
  { tls, port = 0 }: { readonly tls?: ServerOptions; readonly port?: number } = {},
): Promise<JwksServer> {
  const requests: SeenRequest[] = []
  const sockets = new Set<Socket>()
  let answering: Answering = (response) => response.writeHead(503).end()
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  server.on('request', ({ method, url, headers, socket }, response) => {
    const serverName = (socket as Partial<TLSSocket>).servername
    const seen = { method, url, headers, serverName: serverName || undefined }
    requests.push(seen)
    answering(response, seen)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  t.teardown(stop)
  const bound = (server.address() as AddressInfo).port
  const scheme = tls === undefined ? 'http' : 'https'
  return {
    port: bound,
    uri: new URL(`${scheme}://127.0.0.1:${bound}/.well-known/pomerium/jwks.json`),
    requests,
    connections: () => sockets.size,
    answer: (next) => {
      answering = next
    },
    serve: (jwks) => {
      answering = asPomerium(jwks)
    },
    stop,
  }
}

/** A status, headers and body as they are. */
export function answerWith(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): Answering {
  return (response) => response.writeHead(status, headers).end(body)
}

function asPomerium(jwks: unknown): Answering {
  const body = JSON.stringify(jwks)
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`
  return (response, { headers }) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.setHeader('ETag', etag)
    response.setHeader('Content-Type', 'application/json')
    if (headers['if-none-match'] === etag) response.writeHead(304).end()
    else response.end(body)
  }
}
