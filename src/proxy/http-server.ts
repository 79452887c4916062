import { constants } from 'node:crypto'
import { createServer, IncomingMessage, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import type { Config, Milliseconds } from '../config/config.ts'
import { MAX_HEADER_LINES } from './gate.ts'
import { headerValue } from './headers.ts'

/** PEM texts. With `ca` every client must show a certificate that one of them signed. */
export interface DataServerTls {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
}

export type HttpServerConfig = Pick<
  Config,
  'headerTimeout' | 'keepAliveTimeout' | 'maxHeaderSize' | 'maxConnections'
>

/** The server below Fastify, and what tells the two kinds apart. */
export type HttpServer = {
  /** For connections that come from now on. Throws on a server that began without TLS. */
  readonly useTls: (tls: DataServerTls) => void
} & (
  | { readonly kind: 'plain'; readonly server: Server }
  | { readonly kind: 'tls'; readonly server: HttpsServer }
)

/** Connections over the limit that may be open at once, for as long as their answer takes. */
const REFUSAL_RESERVE = 100

const KEEP_ALIVE_DELAY: Milliseconds = 60_000

/** Node's server as claimgate needs it, with TLS where there is some. It does not listen yet. */
export function createHttpServer(
  config: HttpServerConfig,
  tls: DataServerTls | undefined,
  shouldUpgradeCallback: NonNullable<ServerOptions['shouldUpgradeCallback']>,
): HttpServer {
  const options = {
    // Slow bodies are watched one by one: this limit would also cut long uploads.
    requestTimeout: 0,
    // Heads that are late are answered together, so they are looked for often, while they are few.
    connectionsCheckingInterval: Math.min(250, config.headerTimeout),
    insecureHTTPParser: false,
    // The gate answers these in our form.
    requireHostHeader: false,
    noDelay: true,
    // Finds clients that are gone without a word, of tunnels above all.
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY,
    shouldUpgradeCallback,
    IncomingMessage: Message,
  }
  const http: HttpServer = tls === undefined ? plain(options) : secure(options, tls)
  // Node drops what is beyond this in silence, and the gate refuses a head with one line less.
  http.server.maxHeadersCount = MAX_HEADER_LINES + 1
  limitServer(http.server, config)
  return http
}

/**
 * A request whose fields are in `rawHeaders` alone. Node would sort all of them into an object, only to look for `Expect`
 * in it (3 % of a request), and neither Fastify nor the plugin may go by what a client sent.
 */
class Message extends IncomingMessage {}

const NO_FIELDS = Object.freeze({})

Object.defineProperty(Message.prototype, 'headers', {
  get(this: IncomingMessage) {
    const expect = headerValue(this.rawHeaders, 'expect')
    return expect === undefined ? NO_FIELDS : { expect }
  },
})

/** All limits that Node looks up anew, at each look at its connections or with each new one. */
export function limitServer(server: Server, config: HttpServerConfig): void {
  server.headersTimeout = config.headerTimeout
  server.keepAliveTimeout = config.keepAliveTimeout
  // A field of the server that its types do not know.
  Object.assign(server, { maxHeaderSize: config.maxHeaderSize })
  // Those beyond the limit are answered; those beyond this reserve are closed without a word.
  server.maxConnections = config.maxConnections + REFUSAL_RESERVE
}

function plain(options: ServerOptions): HttpServer {
  const useTls = () => {
    throw new TypeError('Cannot begin TLS on a port without it')
  }
  return { kind: 'plain', server: createServer(options), useTls }
}

function secure(options: ServerOptions, tls: DataServerTls): HttpServer {
  const server = createTlsServer({
    ...options,
    ...contextOf(tls),
    ALPNProtocols: ['http/1.1'],
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: true,
  })
  return { kind: 'tls', server, useTls: (next) => server.setSecureContext(contextOf(next)) }
}

/** A new context has new ticket keys, so that no session outlives the authorities that it was begun with. */
const contextOf = ({ cert, key, ca }: DataServerTls): SecureContextOptions => ({
  cert,
  key,
  ...(ca === undefined ? {} : { ca }),
  // Whatever NODE_OPTIONS say.
  minVersion: 'TLSv1.2',
  // One handshake for each connection: a second one could show another certificate, and costs a hostile client little.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
})
