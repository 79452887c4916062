import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Milliseconds, UpstreamAddress } from '../config/config.ts'

/** Dials the upstream. The callback is called exactly once. */
export type Connect = (callback: (error: Error | null, socket: Socket | null) => void) => Socket

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
  const open = () => {
    if (upstream.protocol === 'unix:') return connectTcp({ path: upstream.path })
    const address = { host: upstream.hostname, port: upstream.port, keepAlive: true, noDelay: true }
    return upstream.protocol === 'http:'
      ? connectTcp(address)
      : connectTls({ ...address, ...tlsOptions(upstream.hostname, tls) })
  }
  const readyEvent = upstream.protocol === 'https:' ? 'secureConnect' : 'connect'

  return (callback) => {
    const socket = open()
    // From birth to the end: whatever happens to this socket later must not end the process.
    socket.on('error', noop)
    const timer = setTimeout(() => socket.destroy(new ConnectTimeoutError()), timeout)
    const settle = (error: Error | null) => {
      clearTimeout(timer)
      socket.off('error', settle).off('close', closed)
      callback(error, error === null ? socket : null)
    }
    const closed = () => settle(new Error('closed while connecting'))
    socket.once('error', settle).once('close', closed)
    socket.once(readyEvent, () => afterSilence(socket, settle))
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
 * An answer that arrives before any request was sent belongs to nobody, and would be taken for the answer to the first
 * one: two turns of the loop let bytes that are already there be seen.
 */
function afterSilence(socket: Socket, settle: (error: Error | null) => void): void {
  setImmediate(() =>
    setImmediate(() => {
      if (socket.destroyed) return
      if (socket.readableLength === 0) return settle(null)
      settle(new Error('upstream spoke first'))
      socket.destroy()
    }),
  )
}
