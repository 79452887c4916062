import {
  createServer,
  type IncomingMessage,
  METHODS,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import httpProxy from '@fastify/http-proxy'
import fastify, { type FastifyInstance } from 'fastify'
import type { Config, Milliseconds } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { closeGently, connectionOf } from './connection.ts'
import { headOf, isHandshake, MAX_HEADER_LINES, pathOf, REFUSED_METHODS } from './gate.ts'
import { headerValue } from './headers.ts'
import { endSlowReaders } from './slow-readers.ts'

/** Whether a client waits for `100 Continue` before it sends its body. */
export type Expectation = 'continue' | 'none'

export interface DataServerHandlers {
  /** Begins an exchange. Its turn has come: all before it on the connection has been answered. */
  begin(request: IncomingMessage, response: ServerResponse, expectation: Expectation): void
  /** The decision; throws what {@link DataServerHandlers.refuse} answers. */
  decide(request: IncomingMessage): Promise<void>
  /** Only after `decide`. */
  forward(request: IncomingMessage): void
  /** Only after `decide`. */
  showStatus(request: IncomingMessage): void
  refuse(request: IncomingMessage, error: unknown): void
  upgrade(request: IncomingMessage, socket: Socket, early: Buffer, next: () => void): void
  /** The parser refused what came; nothing of it reached anybody. */
  parserError(error: NodeJS.ErrnoException, socket: Socket): void
  /** One connection too many. */
  overloaded(socket: Socket): void
  /** A CONNECT request: Node gives its socket away before anyone could decide. */
  connectMethod(request: IncomingMessage, socket: Socket): void
}

export type DataServerConfig = Pick<
  Config,
  | 'headerTimeout'
  | 'bodyIdleTimeout'
  | 'keepAliveTimeout'
  | 'maxHeaderSize'
  | 'maxConnections'
  | 'statusPath'
  | 'upstream'
>

export interface DataServer {
  /** Its `server` listens when told to. */
  readonly app: FastifyInstance
  /** Every open connection that was admitted. */
  readonly connections: ReadonlySet<Socket>
}

/** Connections over the limit that may be open at once, for as long as their answer takes. */
const REFUSAL_RESERVE = 100

const KEEP_ALIVE_DELAY: Milliseconds = 60_000

const PROXIED = '/'
const STATUS = '/status'
const PROXIED_METHODS = METHODS.filter((method) => !REFUSED_METHODS.has(method))
const NO_HEADERS = Object.freeze({})

/**
 * The listener for clients. Fastify gives hooks, routing and lifecycle; @fastify/http-proxy mounts the upstream.
 * Neither sees what a client sent: the router gets one of two constant paths and no header field, so that no path, method
 * or Content-Type can steer a request past the decision.
 */
export async function createDataServer(
  config: DataServerConfig,
  handlers: DataServerHandlers,
): Promise<DataServer> {
  const connections = new Set<Socket>()
  const app = fastify({
    serverFactory: (route) => {
      const server = createHttpServer(config)
      listen(server, { handlers, route, connections, maxConnections: config.maxConnections })
      const monotonic = () => performance.now()
      server.once('close', endSlowReaders(connections, config.bodyIdleTimeout, monotonic))
      return server
    },
    rewriteUrl: (request) => (pathOf(request.url ?? '') === config.statusPath ? STATUS : PROXIED),
    // Fastify's would answer at once, before the answers to what came earlier on the connection.
    clientErrorHandler: () => undefined,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    logger: false,
  })
  for (const method of PROXIED_METHODS)
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  app.addHook('onRequest', async ({ raw }) => {
    refuseUnframed(raw)
    await handlers.decide(raw)
  })
  app.setErrorHandler((error, request, reply) => {
    reply.hijack()
    handlers.refuse(request.raw, error)
  })
  app.route({
    url: STATUS,
    method: PROXIED_METHODS,
    handler: (request, reply) => {
      reply.hijack()
      handlers.showStatus(request.raw)
    },
  })
  await app.register(httpProxy, {
    // Never dialled: the handler forwards by itself. Why: docs/architecture.md.
    upstream: 'http://127.0.0.1',
    websocket: false,
    httpMethods: PROXIED_METHODS,
    handler: (request, reply) => {
      reply.hijack()
      handlers.forward(request.raw)
      return reply
    },
  })
  // Only what the decision has refused before can be without a route.
  app.setNotFoundHandler((request, reply) => {
    reply.hijack()
    handlers.refuse(request.raw, new RejectedError('ERR_REQUEST_MALFORMED'))
  })
  await app.ready()
  return { app, connections }
}

/**
 * Requests that stay plain despite their Upgrade. Node's parser stops behind each and drops the rest of what it was
 * reading: what comes later begins anywhere, in a body that would be taken for a request. So such a request is the last
 * of its connection.
 */
const ignoredUpgrades = new WeakSet<IncomingMessage>()

/**
 * Of such a request the parser takes a coding that it does not know for no body at all, and what it does not know can
 * be `chunked` followed by a tab. Nobody could then say where the body ends.
 */
function refuseUnframed(request: IncomingMessage): void {
  if (!ignoredUpgrades.has(request)) return
  if (headerValue(request.rawHeaders, 'transfer-encoding') === undefined) return
  throw new RejectedError('ERR_REQUEST_MALFORMED', { reason: 'chunked beside an upgrade' })
}

type Route = (request: IncomingMessage, response: ServerResponse) => void

function createHttpServer(config: DataServerConfig): Server {
  const server = createServer({
    maxHeaderSize: config.maxHeaderSize,
    headersTimeout: config.headerTimeout,
    // Slow bodies are watched one by one: this limit would also cut long uploads.
    requestTimeout: 0,
    keepAliveTimeout: config.keepAliveTimeout,
    // Heads that are late are answered together, so they are looked for often, while they are few.
    connectionsCheckingInterval: Math.min(250, config.headerTimeout),
    insecureHTTPParser: false,
    // The gate answers these in our form.
    requireHostHeader: false,
    noDelay: true,
    // Finds clients that are gone without a word, of tunnels above all.
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY,
    // All others stay plain requests, where an Upgrade is ignored (RFC 9110 §7.8) or refused by the gate. So does a
    // handshake behind an unanswered request: its tunnel would begin before that answer.
    shouldUpgradeCallback: (request) => {
      const isTaken =
        // Without an upstream a tunnel would lead nowhere.
        config.upstream !== undefined &&
        isHandshake(headOf(request)) &&
        !connectionOf(request.socket).isBusy()
      if (!isTaken) ignoredUpgrades.add(request)
      return isTaken
    },
  })
  // Node drops what is beyond this in silence, and the gate refuses a head with one line less.
  server.maxHeadersCount = MAX_HEADER_LINES + 1
  // Those beyond the limit are answered; those beyond this reserve are closed without a word.
  server.maxConnections = config.maxConnections + REFUSAL_RESERVE
  return server
}

function makeLast(response: ServerResponse): void {
  response.shouldKeepAlive = false
  closeGently(response.req.socket)
}

interface Listening {
  readonly handlers: DataServerHandlers
  readonly route: Route
  readonly connections: Set<Socket>
  readonly maxConnections: number
}

function listen(server: Server, listening: Listening): void {
  const { handlers, route, connections, maxConnections } = listening
  /** The newest request of each connection: tells whether a parser error belongs to its body. */
  const newest = new WeakMap<Socket, IncomingMessage>()

  const take =
    (expectation: Expectation) => (request: IncomingMessage, response: ServerResponse) => {
      const connection = connectionOf(request.socket)
      if (connection.isSealed()) return
      newest.set(request.socket, request)
      connection.enqueue((next) => {
        response.once('close', next)
        if (ignoredUpgrades.has(request)) makeLast(response)
        handlers.begin(request, response, expectation)
        request.headers = NO_HEADERS
        route(request, response)
      })
      if (ignoredUpgrades.has(request)) connection.seal()
    }
  server.on('connection', (socket) => {
    const connection = connectionOf(socket)
    // This turn never ends, so that nothing such a connection sends gets one.
    if (connections.size >= maxConnections)
      return connection.enqueue(() => handlers.overloaded(socket))
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('request', take('none'))
  server.on('checkContinue', take('continue'))
  server.on('checkExpectation', take('none'))
  server.on('upgrade', (request, socket: Socket, early) => {
    connectionOf(socket).enqueue((next) => handlers.upgrade(request, socket, early, next))
  })
  server.on('connect', (request, socket: Socket) => {
    connectionOf(socket).enqueue(() => handlers.connectMethod(request, socket))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const request = newest.get(socket)
    // Inside a body there is no place for an answer: what was forwarded of it is cut off.
    if (error.code === 'ECONNRESET' || request?.complete === false) return void socket.destroy()
    // A connection that was opened ahead of its first request: an answer now would be taken for that request's.
    if (socket.bytesRead === 0) return void socket.destroy()
    // After the answers to what came before on this connection.
    connectionOf(socket).enqueue(() => handlers.parserError(error, socket))
  })
}
