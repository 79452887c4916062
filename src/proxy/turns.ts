import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { closeGently, connectionOf } from './connection.ts'
import type { DataServerHandlers, Expectation } from './data-server.ts'
import { isIgnoredUpgrade } from './ignored-upgrade.ts'

export type Route = (request: IncomingMessage, response: ServerResponse) => void

function makeLast(response: ServerResponse): void {
  response.shouldKeepAlive = false
  closeGently(response.req.socket)
}

interface Turn {
  /** `undefined`: it is whole and has been answered. A connection at rest keeps nothing of its last request. */
  request: IncomingMessage | undefined
  hasBegun: boolean
}

/** Whether a body belongs to it that is still on its way. */
const isComing = (turn: Turn | undefined): turn is Turn & { readonly request: IncomingMessage } =>
  turn?.request?.complete === false

type TurnHandlers = Pick<
  DataServerHandlers,
  'begin' | 'end' | 'breakOff' | 'upgrade' | 'parserError' | 'connectMethod'
>

/**
 * Hands what a server tells of its connections to the steps, one thing after the other on each connection. A plain request
 * begins there and goes on to `route`.
 */
export function takeTurns(server: Server, handlers: TurnHandlers, route: Route): void {
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
        // The one listener for this: of several, Node makes a list, which V8 may come to put among the old objects at once.
        response.on('close', () => {
          handlers.end(request)
          if (request.complete) turn.request = undefined
          next()
        })
        if (isIgnoredUpgrade(request)) makeLast(response)
        handlers.begin(request, response, expectation)
        route(request, response)
      })
      if (isIgnoredUpgrade(request)) connection.seal()
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
    if (!isComing(turn)) return connectionOf(socket).enqueue(answer)
    // Its body will never be whole, so it gets no turn; what came before it gets its answer.
    if (!turn.hasBegun) return connectionOf(socket).replaceNewest(answer)
    // There is no place for an answer inside a body that is on its way: what was forwarded of it is cut off.
    if (!handlers.breakOff(turn.request, error)) socket.destroy()
  })
}
