import { type IncomingMessage, METHODS, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import httpProxy from '@fastify/http-proxy'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Config } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { NO_SCHEMAS } from '../no-schemas.ts'
import { admit, admitSecure } from './admission.ts'
import { closeGently, connectionOf } from './connection.ts'
import { headOf, isHandshake, pathOf, REFUSED_METHODS } from './gate.ts'
import { headerValue } from './headers.ts'
import { createHttpServer, type DataServerTls, limitServer } from './http-server.ts'
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
  /** The body of the request cannot be read on: answers it, or says that it is too late for that. */
  breakOff(request: IncomingMessage, error: NodeJS.ErrnoException): boolean
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

export interface DataServerOptions {
  /** `undefined`: plain HTTP. */
  readonly tls: DataServerTls | undefined
  readonly onHandshakeFailed: (reason: string) => void
}

export interface DataServer {
  /** Its `server` listens when told to. */
  readonly app: FastifyInstance
  /** Every open connection that was admitted. */
  readonly connections: ReadonlySet<Socket>
  /** From now on these settings, for open connections too; the size of heads is for new ones. */
  adapt(config: DataServerConfig): void
  /** For connections that come from now on; open ones stay. Only where there was TLS from the start. */
  useTls(tls: DataServerTls): void
}

const PROXIED = '/'
const STATUS = '/status'
const PROXIED_METHODS = METHODS.filter((method) => !REFUSED_METHODS.has(method))

/**
 * The listener for clients. Fastify gives hooks, routing and lifecycle; @fastify/http-proxy mounts the upstream.
 * Neither sees what a client sent: the router gets one of two constant paths and no header field, so that no path, method
 * or Content-Type can steer a request past the decision.
 */
export async function createDataServer(
  config: DataServerConfig,
  handlers: DataServerHandlers,
  options: DataServerOptions,
): Promise<DataServer> {
  const connections = new Set<Socket>()
  // What is claimgate's own is nobody's to tunnel to.
  const isOurs = (target: string) => pathOf(target) === live.settings().statusPath
  // Without an upstream a tunnel would lead nowhere.
  const isForNoTunnel = (target: string) => config.upstream === undefined || isOurs(target)
  const http = createHttpServer(config, options.tls, (request) =>
    shouldUpgrade(request, isForNoTunnel),
  )
  const live = liveSettings(config, http.server, connections)
  const app = fastify({
    serverFactory: (route) => {
      const { server } = http
      const admission = { connections, limits: live.settings, overloaded: handlers.overloaded }
      if (http.kind === 'plain') admit(server, admission)
      else admitSecure(http.server, { ...options, ...admission })
      listen(server, handlers, route)
      return server
    },
    rewriteUrl: (request) => (isOurs(request.url ?? '') ? STATUS : PROXIED),
    // Fastify's would answer at once, before the answers to what came earlier on the connection.
    clientErrorHandler: () => undefined,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    logger: false,
    schemaController: NO_SCHEMAS,
  })
  for (const method of PROXIED_METHODS)
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  // No async function of its own: what it waits for is one already.
  app.addHook('onRequest', ({ raw }) =>
    isUnframed(raw) ? Promise.reject(unframed()) : handlers.decide(raw),
  )
  const refuse = createRefusal(handlers)
  app.setErrorHandler((error, request, reply) => answer(handlers, error, { request, reply }))
  app.route({
    url: STATUS,
    method: PROXIED_METHODS,
    handler: (request, reply) => {
      handlers.showStatus(request.raw)
      reply.hijack()
    },
  })
  await app.register(httpProxy, mounting(handlers, refuse))
  // Only what the decision has refused before can be without a route.
  app.setNotFoundHandler(refuse)
  await app.ready()
  return { app, connections, adapt: live.adapt, useTls: http.useTls }
}

function dialNothing(): never {
  throw new Error('the plugin forwards nothing')
}

/** How the plugin is mounted: it forwards nothing by itself. Why: docs/architecture.md. */
const mounting = (
  handlers: Pick<DataServerHandlers, 'forward'>,
  refuse: ReturnType<typeof createRefusal>,
) => ({
  // Never dialled: the handler forwards by itself. Why: docs/architecture.md.
  upstream: 'http://127.0.0.1',
  // Nor could it be: in place of a client of the plugin's own.
  undici: { request: dialNothing },
  websocket: false,
  httpMethods: PROXIED_METHODS,
  // Before the plugin's own handler, which parses three URLs of a target that is always the same (2 to 4 µs).
  preHandler: (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    handlers.forward(request.raw)
    // Only now: what is thrown behind it goes to nobody, and the client would wait for ever.
    reply.hijack()
    done()
  },
  // Never reached; should it be, nothing is forwarded.
  handler: refuse,
})

type Refuse = Pick<DataServerHandlers, 'refuse'>

/** The answer to what no route should ever have led to. */
const createRefusal = (handlers: Refuse) => (request: FastifyRequest, reply: FastifyReply) => {
  answer(handlers, new RejectedError('ERR_REQUEST_MALFORMED'), { request, reply })
  return reply
}

/** Where even the refusal fails, the connection ends: Fastify's own answer would say why. */
function answer(
  { refuse }: Refuse,
  error: unknown,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): void {
  reply.hijack()
  try {
    refuse(request.raw, error)
  } catch {
    reply.raw.destroy()
  }
}

/** The settings that the listener itself goes by, which may become others while it listens. */
function liveSettings(config: DataServerConfig, server: Server, connections: ReadonlySet<Socket>) {
  const monotonic = () => performance.now()
  const watch = ({ bodyIdleTimeout }: DataServerConfig) =>
    endSlowReaders(connections, bodyIdleTimeout, monotonic)
  let settings = config
  let endWatch = watch(config)
  server.once('close', () => endWatch())
  return {
    settings: () => settings,
    adapt(next: DataServerConfig) {
      settings = next
      endWatch()
      endWatch = watch(next)
      limitServer(server, next)
    },
  }
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
const isUnframed = (request: IncomingMessage): boolean =>
  ignoredUpgrades.has(request) && headerValue(request.rawHeaders, 'transfer-encoding') !== undefined

const unframed = () =>
  new RejectedError('ERR_REQUEST_MALFORMED', { reason: 'chunked beside an upgrade' })

/**
 * All others stay plain requests, where an Upgrade is ignored (RFC 9110 §7.8) or refused by the gate. So does a handshake
 * behind an unanswered request: its tunnel would begin before that answer.
 */
function shouldUpgrade(
  request: IncomingMessage,
  isForNoTunnel: (target: string) => boolean,
): boolean {
  const isTheirs = isHandshake(headOf(request)) && !isForNoTunnel(request.url ?? '')
  const isTaken = isTheirs && !connectionOf(request.socket).isBusy()
  if (!isTaken) ignoredUpgrades.add(request)
  return isTaken
}

type Route = (request: IncomingMessage, response: ServerResponse) => void

function makeLast(response: ServerResponse): void {
  response.shouldKeepAlive = false
  closeGently(response.req.socket)
}

function listen(server: Server, handlers: DataServerHandlers, route: Route): void {
  /** The newest request of each connection: tells whether a parser error belongs to its body. */
  const newest = new WeakMap<Socket, Turn>()

  const take =
    (expectation: Expectation) => (request: IncomingMessage, response: ServerResponse) => {
      const connection = connectionOf(request.socket)
      if (connection.isSealed()) return
      const turn: Turn = { request, hasBegun: false }
      newest.set(request.socket, turn)
      connection.enqueue((next) => {
        turn.hasBegun = true
        response.on('close', next)
        if (ignoredUpgrades.has(request)) makeLast(response)
        handlers.begin(request, response, expectation)
        route(request, response)
      })
      if (ignoredUpgrades.has(request)) connection.seal()
    }
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
    const turn = newest.get(socket)
    // A connection that was opened ahead of its first request: an answer now would be taken for that request's.
    if (error.code === 'ECONNRESET' || socket.bytesRead === 0) return void socket.destroy()
    const answer = () => handlers.parserError(error, socket)
    // After the answers to what came before on this connection.
    if (turn === undefined || turn.request.complete) return connectionOf(socket).enqueue(answer)
    // Its body will never be whole, so it gets no turn; what came before it gets its answer.
    if (!turn.hasBegun) return connectionOf(socket).replaceNewest(answer)
    // There is no place for an answer inside a body that is on its way: what was forwarded of it is cut off.
    if (!handlers.breakOff(turn.request, error)) socket.destroy()
  })
}

interface Turn {
  readonly request: IncomingMessage
  hasBegun: boolean
}
