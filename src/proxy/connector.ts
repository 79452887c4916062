import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Bytes, Milliseconds, UpstreamAddress } from '../config/config.ts'

/** What has come. The bytes are there until it returns: what is read next, by whatever connection, takes their place. */
export type OnBytes = (bytes: Buffer) => void

/** Dials the upstream. The callback is called exactly once. With `onBytes`, the socket has no `data` for anybody else. */
export type Connect = (
  callback: (error: Error | null, socket: Socket | null) => void,
  onBytes?: OnBytes,
) => Socket

/** PEM texts, read at start. */
export interface UpstreamTls {
  readonly ca: string | undefined
  readonly serverName: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** The upstream did not accept a connection in time. */
export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError'
}

const noop = () => undefined

/** TLS to the upstream is always verified; the name is `serverName`, else the upstream's, never the client's Host. */
export function createConnect(
  upstream: UpstreamAddress,
  tls: UpstreamTls,
  timeout: Milliseconds,
): Connect {
  const isTls = upstream.protocol === 'https:'
  const open = (inbox: Inbox | undefined) => {
    const onread = inbox && { buffer: READ_BUFFER, callback: inbox.read }
    if (upstream.protocol === 'unix:') return connectTcp({ path: upstream.path, onread })
    const address = { host: upstream.hostname, port: upstream.port, keepAlive: true, noDelay: true }
    return isTls
      ? connectTls({ ...address, ...tlsOptions(upstream.hostname, tls) })
      : connectTcp({ ...address, onread })
  }
  const readyEvent = isTls ? 'secureConnect' : 'connect'

  return (callback, onBytes) => {
    const inbox = onBytes && createInbox(onBytes)
    const socket = open(inbox)
    // From birth to the end: whatever happens to this socket later must not end the process.
    socket.on('error', noop)
    const timer = setTimeout(() => socket.destroy(new ConnectTimeoutError()), timeout)
    const settle = (error: Error | null) => {
      clearTimeout(timer)
      socket.off('error', settle).off('close', closed)
      if (error !== null) return callback(error, null)
      inbox?.open()
      // There a read may bring several pieces, and a write another read: no place to share a buffer.
      if (isTls && onBytes !== undefined) socket.on('data', onBytes)
      callback(null, socket)
    }
    const closed = () => settle(new Error('closed while connecting'))
    socket.once('error', settle).once('close', closed)
    socket.once(readyEvent, () => afterSilence({ socket, inbox, settle }))
    return socket
  }
}

function tlsOptions(hostname: string, tls: UpstreamTls) {
  const name = tls.serverName ?? hostname
  return {
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    // RFC 6066 §3: an address is not a server name; the certificate is then checked against the address.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  }
}

/**
 * Where all connections read to: what comes is parsed before the next read, and what is kept of it is copied. A buffer for
 * each read costs 5 % of a forwarded request.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024)

interface Inbox {
  readonly read: (length: Bytes) => boolean
  /** From now on what comes has been asked for. */
  open(): void
  /** Whether anything came before that. */
  hasEarly(): boolean
}

function createInbox(onBytes: OnBytes): Inbox {
  let isOpen = false
  let early = false
  return {
    read(length) {
      if (isOpen) onBytes(READ_BUFFER.subarray(0, length))
      else early = true
      return true
    },
    open() {
      isOpen = true
    },
    hasEarly: () => early,
  }
}

interface Silence {
  readonly socket: Socket
  readonly inbox: Inbox | undefined
  readonly settle: (error: Error | null) => void
}

/**
 * An answer that arrives before any request was sent belongs to nobody, and would be taken for the answer to the first
 * one: two turns of the loop let bytes that are already there be seen.
 */
function afterSilence({ socket, inbox, settle }: Silence): void {
  setImmediate(() =>
    setImmediate(() => {
      if (socket.destroyed) return
      if (socket.readableLength === 0 && !inbox?.hasEarly()) return settle(null)
      settle(new Error('upstream spoke first'))
      socket.destroy()
    }),
  )
}
