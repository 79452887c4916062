import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import type { Milliseconds } from '../config/config.ts'
import { connectionOf } from './connection.ts'
import type { OpenRoster } from './roster.ts'

export interface AdmissionOptions {
  /** Every open connection that was admitted; those whose handshake is under way included. */
  readonly connections: OpenRoster<Socket>
  readonly limits: () => { readonly maxConnections: number; readonly headerTimeout: Milliseconds }
  /** One connection too many: answers it. */
  readonly overloaded: (socket: Socket) => void
}

/** Gives every connection its error listener at birth, and keeps those within `max_connections`. */
export function admit(server: Server, { connections, limits, overloaded }: AdmissionOptions): void {
  server.on('connection', (socket) => {
    const connection = connectionOf(socket)
    // This turn never ends, so that nothing such a connection sends gets one.
    if (connections.size >= limits().maxConnections)
      return connection.enqueue(() => overloaded(socket))
    socket.once('close', connections.add(socket))
  })
}

/** A connection whose handshake has not ended. */
interface Handshake {
  readonly timer: NodeJS.Timeout
  isLate: boolean
  /** Strikes it off the connections. `undefined`: it was one too many. */
  leave: (() => void) | undefined
}

export interface SecureAdmissionOptions extends AdmissionOptions {
  /** `reason` is a code of the system or of OpenSSL, or `TIMEOUT`. */
  readonly onHandshakeFailed: (reason: string) => void
}

/**
 * As {@link admit}, for TLS: a connection counts from its birth, has `header_timeout` for its handshake, and reaches
 * HTTP only after it. One too many is answered like any other, but waits for no place.
 */
export function admitSecure(server: TlsServer, options: SecureAdmissionOptions): void {
  const { connections, limits, overloaded, onHandshakeFailed } = options
  const handshakes = new WeakMap<Socket, Handshake>()

  server.on('connection', (raw: Socket) => {
    connectionOf(raw)
    const timer = setTimeout(() => {
      handshake.isLate = true
      raw.destroy()
    }, limits().headerTimeout)
    const hasPlace = connections.size < limits().maxConnections
    const leave = hasPlace ? connections.add(raw) : undefined
    const handshake: Handshake = { timer, isLate: false, leave }
    handshakes.set(raw, handshake)
    raw.once('close', () => {
      clearTimeout(timer)
      leave?.()
    })
  })
  server.on('secureConnection', (socket) => {
    const connection = connectionOf(socket)
    const raw = rawOf(socket)
    // As on a plain server: a tunnel ends one side after the other. Who ends its side within the handshake is gone.
    socket.allowHalfOpen = true
    const handshake = handshakes.get(raw)
    clearTimeout(handshake?.timer)
    if (handshake?.leave === undefined) return connection.enqueue(() => overloaded(socket))
    handshake.leave()
    socket.once('close', connections.add(socket))
  })
  // Node would turn these into errors of HTTP, which are answered.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (error, socket) => {
    const raw = rawOf(socket)
    // Who says nothing at all looks whether somebody listens, or came ahead of need.
    const isSilent = raw.bytesRead === 0
    const reason = handshakes.get(raw)?.isLate ? 'TIMEOUT' : reasonOf(error, socket)
    if (!isSilent) onHandshakeFailed(reason)
    socket.destroy()
  })
}

/**
 * The connection below TLS. Node tells nobody which socket of `connection` becomes which of `secureConnection` but by
 * this field. Were it gone, each connection would be one too many: nothing passes that was not counted.
 */
const rawOf = (socket: TLSSocket & { readonly _parent?: Socket }): Socket =>
  socket._parent ?? socket

/** Codes alone: the messages of OpenSSL may quote what a client sent. */
function reasonOf(error: NodeJS.ErrnoException, { authorizationError }: TLSSocket): string {
  // Typed as an error, but it is the code of one.
  const code: unknown = authorizationError ?? error.code
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : 'UNKNOWN'
}
