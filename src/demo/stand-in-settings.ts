import { isIP } from 'node:net'
import type { Route } from './stand-in.ts'

export interface StandInSettings {
  readonly listen: { readonly host: string; readonly port: number }
  readonly routes: readonly Route[]
  /** EC P-256 private key, PEM or its base64; `undefined` makes a new one at every start. */
  readonly signingKey: string | undefined
}

/**
 * Reads the environment of the container's stand-in.
 *
 * - `UNSAFE_STAND_IN_LISTEN`: `0.0.0.0:8080`; required, there is no default
 * - `STAND_IN_ROUTES`: `httpbin.localhost=http://claimgate-httpbin:8000`, comma separated; required
 * - `SIGNING_KEY`: as Pomerium takes it
 *
 * Throws an Error that names the variable and what it must hold.
 */
export const readStandInSettings = (
  env: Readonly<Record<string, string | undefined>>,
): StandInSettings => ({
  listen: listenAddress(env['UNSAFE_STAND_IN_LISTEN'] ?? ''),
  routes: (env['STAND_IN_ROUTES'] ?? '').split(',').map(route),
  signingKey: env['SIGNING_KEY'] || undefined,
})

const listenAddress = (text: string): StandInSettings['listen'] => {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? []
  if (isIP(host) === 0 || Number(port) > 65_535) {
    throw new Error('UNSAFE_STAND_IN_LISTEN must be an address and a port, such as 0.0.0.0:8080')
  }
  return { host, port: Number(port) }
}

const route = (text: string): Route => {
  const [, host = '', upstream = ''] = /^([a-z0-9.-]+)=(http:\/\/[^/]+)\/?$/.exec(text.trim()) ?? []
  if (!URL.canParse(upstream)) {
    throw new Error(
      'STAND_IN_ROUTES must be a list such as httpbin.localhost=http://claimgate-httpbin:8000',
    )
  }
  return { hosts: [host], upstream: new URL(upstream) }
}
