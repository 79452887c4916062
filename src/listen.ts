import { lstatSync, unlinkSync } from 'node:fs'
import { type AddressInfo, connect, type Server } from 'node:net'
import type { ListenTarget, Milliseconds } from './config/config.ts'

/** Where a server listens. */
export interface Bound {
  /** Or the path of a Unix socket. */
  readonly address: string
  readonly family: string
  /** 0 with a Unix socket. */
  readonly port: number
  /** `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/claimgate.sock`. */
  readonly authority: string
}

/**
 * Begins to listen. Node removes the file of a Unix socket when the server closes; what a killed process has left is
 * removed here, if nobody answers on it.
 *
 * @throws when the address is taken, or the path holds something else than a socket
 */
export async function listenOn(server: Server, target: ListenTarget): Promise<Bound> {
  if (target.path !== undefined) await removeStale(target.path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(target, () => {
      server.off('error', reject)
      resolve()
    })
  })
  if (target.path !== undefined)
    return { address: target.path, family: 'unix', port: 0, authority: `unix:${target.path}` }
  const { address, family, port } = server.address() as AddressInfo
  return {
    address,
    family,
    port,
    authority: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
  }
}

async function removeStale(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isSocket()) throw new Error(`cannot listen on unix:${path}: it is no socket`)
  if (await isAnswered(path))
    throw new Error(`cannot listen on unix:${path}: another process answers there`)
  unlinkSync(path)
}

/** Whoever takes so long is there. */
const PATIENCE: Milliseconds = 2_000

/** Only a refusal says that nobody listens: a full backlog or missing rights do not. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    const settle = (isThere: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(isThere)
    }
    const timer = setTimeout(settle, PATIENCE, true)
    socket.once('connect', () => settle(true))
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      settle(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
}
