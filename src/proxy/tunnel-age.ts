import type { Socket } from 'node:net'
import type { Config, Milliseconds } from '../config/config.ts'
import type { Tunnel } from './splice.ts'
import type { OpenTunnel } from './tunnel.ts'

export interface TunnelAgeOptions {
  readonly config: Pick<Config, 'tunnelMaxAge'>
  /** From 0 to 1, without 1. */
  readonly random: () => number
}

/** RFC 6455 §7.4.1: going away. Clients connect again after it, and only that leads to a new decision. */
const GOING_AWAY = 1001

/** Tunnels that were opened together must not all come back together. */
const JITTER = 0.1

/** Opens tunnels that are closed at `tunnelMaxAge`, or up to a tenth of it earlier. */
export function limitTunnelAge(
  openTunnel: OpenTunnel,
  { config: { tunnelMaxAge: maxAge }, random }: TunnelAgeOptions,
): OpenTunnel {
  if (maxAge === undefined) return openTunnel
  return (request) =>
    openTunnel({
      ...request,
      onOpen(tunnel) {
        request.onOpen(tunnel)
        closeAfter(maxAge * (1 - JITTER * random()), tunnel, request.client)
      },
    })
}

/** A scope of its own, in which nothing of the handshake is kept. */
function closeAfter(age: Milliseconds, tunnel: Tunnel, client: Socket): void {
  const timer = setTimeout(() => tunnel.close(GOING_AWAY), age)
  timer.unref()
  client.once('close', () => clearTimeout(timer))
}
