import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Upgrading } from './tunnel.ts'

/** Pomerium's own limit for all headers of one request, in bytes. */
const MAX_HEADER_SIZE = 128 * 1024

export interface Answers {
  onRequest(request: IncomingMessage, response: ServerResponse): void | Promise<void>
  onUpgrade(upgrading: Upgrading): void | Promise<void>
}

export interface Listener {
  /** Rejects with the system's error (`EADDRINUSE`…) when the address cannot be had. */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  /** Closes every connection at once. */
  close(): Promise<void>
}

/** An HTTP server for the demo's parts. An answer that fails ends its own connection and nothing else. */
export const createListener = ({ onRequest, onUpgrade }: Answers): Listener => {
  const server = createServer({ maxHeaderSize: MAX_HEADER_SIZE })
  const tunnels = new Set<Duplex>()
  // A failing accept (no file descriptors left) must not end the process; a failing listen still rejects below.
  server.on('error', () => {})
  server.on('connection', (socket) => socket.on('error', () => socket.destroy()))
  server.on('request', (request, response) => {
    void attempt(() => onRequest(request, response), response)
  })
  server.on('upgrade', (request, socket, head) => {
    tunnels.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => tunnels.delete(socket))
    void attempt(() => onUpgrade({ request, socket, head }), socket)
  })
  return {
    listen: async ({ host, port }) => {
      server.listen(port, host)
      await once(server, 'listening')
      return server.address() as AddressInfo
    },
    close: async () => {
      for (const socket of tunnels) socket.destroy()
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const attempt = async (
  answer: () => void | Promise<void>,
  exchange: { destroy(): unknown },
): Promise<void> => {
  try {
    await answer()
  } catch {
    exchange.destroy()
  }
}
