import { type IncomingMessage, METHODS, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import httpProxy from '@fastify/http-proxy'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Config } from '../config/config.ts'
import { RejectedError } from '../errors.ts'
import { NO_SCHEMAS } from '../no-schemas.ts'
import { admit, admitSecure } from './admission.ts'
import { pathOf, REFUSED_METHODS } from './gate.ts'
import { createHttpServer, type DataServerTls, limitServer } from './http-server.ts'
import { isUnframed, shouldUpgrade, unframed } from './ignored-upgrade.ts'
import { createRoster, type Roster } from './roster.ts'
import { endSlowReaders } from './slow-readers.ts'
import { takeTurns } from './turns.ts'

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
  /** Its answer is complete, or its client has gone. Called once for each `begin`. */
  end(request: IncomingMessage): void
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
  readonly connections: Roster<Socket>
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
  const connections = createRoster<Socket>()
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
      takeTurns(server, handlers, route)
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
function liveSettings(config: DataServerConfig, server: Server, connections: Roster<Socket>) {
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
