import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import {
  connect as connectTls,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { Milliseconds } from '../config/config.ts'

/** Each probe ends by then. */
export const PROBE_TIMEOUT: Milliseconds = 5_000

/** What came of a probe: its value, or a code such as `ENOTFOUND`, `ECONNREFUSED` or `TIMEOUT`. */
export type Probed<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'failed'; readonly code: string }

/** The addresses of a name; an address is its own. */
export async function resolveName(host: string): Promise<Probed<readonly string[]>> {
  if (isIP(host) !== 0) return { kind: 'found', value: [host] }
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const timer = setTimeout(resolve, PROBE_TIMEOUT, 'late')
  try {
    const answer = await Promise.race([lookup(host, { all: true }), late])
    if (answer === 'late') return { kind: 'failed', code: 'TIMEOUT' }
    return { kind: 'found', value: answer.map(({ address }) => address) }
  } catch (error) {
    return { kind: 'failed', code: codeOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

export type Target = { readonly host: string; readonly port: number } | { readonly path: string }

/** Opens a connection, closes it again and sends nothing. */
export async function dial(target: Target): Promise<Probed<undefined>> {
  const socket = connect(target as TcpNetConnectOpts)
  return settle(socket, 'connect', () => undefined)
}

/** A certificate and why it would not be accepted; `undefined` when its chain is good. */
export interface Presented {
  readonly certificate: PeerCertificate
  readonly chainFault: string | undefined
}

export interface Handshake {
  readonly target: Target
  /** `''`: none, for an address. */
  readonly serverName: string
  readonly secureContext: SecureContext
}

/** A TLS handshake that goes on past a bad certificate, to see it. Nothing is sent over it. */
export async function shakeHands({
  target,
  serverName,
  secureContext,
}: Handshake): Promise<Probed<Presented>> {
  const socket = connectTls({
    ...target,
    secureContext,
    servername: serverName,
    rejectUnauthorized: false,
    // The caller does it, and says what it found.
    checkServerIdentity: () => undefined,
  })
  return settle(socket, 'secureConnect', () => ({
    certificate: socket.getPeerCertificate(),
    chainFault: chainFault(socket),
  }))
}

function chainFault({ authorizationError: fault }: TLSSocket): string | undefined {
  // Typed as an Error; OpenSSL's code comes as text.
  const text: unknown = fault
  return text === null || text === undefined ? undefined : String(text)
}

function settle<T>(socket: Socket, event: string, read: () => T): Promise<Probed<T>> {
  return new Promise((resolve) => {
    const end = (probed: Probed<T>) => {
      clearTimeout(timer)
      resolve(probed)
      socket.destroy()
    }
    const timer = setTimeout(end, PROBE_TIMEOUT, { kind: 'failed', code: 'TIMEOUT' })
    socket.on('error', (error) => end({ kind: 'failed', code: codeOf(error) }))
    socket.once(event, () => end({ kind: 'found', value: read() }))
  })
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'UNKNOWN'
}
