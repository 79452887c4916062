import type { AddressInfo } from 'node:net'
import { ConfigError } from '../errors.ts'
import type { DemoOrigins } from './guide.ts'
import { KEY_SET_PATH } from './key-set-endpoint.ts'
import type { DemoOptions } from './options.ts'
import { createSampleApp } from './sample-app.ts'
import { createSigningKey } from './signing-key.ts'
import { createStandIn } from './stand-in.ts'

/** The port the demo is on unless told otherwise; claimgate itself takes the next one. */
export const DEFAULT_PORT = 8080

/** How long claimgate may take to fetch the stand-in's key set. */
const READY_TIMEOUT_MS = 10_000

/** A running claimgate. */
export interface Gate {
  readonly data: AddressInfo
  readonly admin: AddressInfo
  stop(): Promise<void>
}

/** Starts claimgate with these settings and nothing else of the environment. */
export type StartGate = (env: Readonly<Record<string, string>>) => Promise<Gate>

export interface Demo {
  readonly origins: DemoOrigins
  /** Which ports were taken, for people; empty when every port is the expected one. */
  readonly notices: readonly string[]
  stop(): Promise<void>
}

/**
 * Starts sample app, stand-in and claimgate, and resolves once claimgate is ready.
 * Throws ConfigError when the port asked for is taken; whatever was started until then is stopped.
 */
export const startDemo = async (
  { host, port }: DemoOptions,
  startGate: StartGate,
): Promise<Demo> => {
  const stops: (() => Promise<void>)[] = []
  const notices: string[] = []
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  const note = (text: string) => notices.push(text)
  try {
    const app = createSampleApp()
    stops.push(app.close)
    const appAddress = await app.listen({ host, port: 0 })
    const standIn = createStandIn({ signingKey: await createSigningKey() })
    stops.push(standIn.close)
    const front = await listenOnFront((port) => standIn.listen({ host, port }), port, note)
    const settings = gateSettings({ host, app: originOf(appAddress), front: originOf(front) })
    const start = (port: number) => startGate({ ...settings, CLAIMGATE_LISTEN: at(host, port) })
    const gate = await orAnyPort(start, port === 0 ? 0 : nextPort(front.port), note)
    stops.push(gate.stop)
    standIn.addRoute({
      hosts: ['localhost', host.includes(':') ? `[${host}]` : host],
      upstream: new URL(originOf(gate.data)),
    })
    await ready(originOf(gate.admin))
    const origins = {
      front: originOf(front),
      gate: originOf(gate.data),
      admin: originOf(gate.admin),
      app: originOf(appAddress),
    }
    return { origins, notices, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Listening<T> = (port: number) => Promise<T>

const listenOnFront = async <T>(
  listen: Listening<T>,
  port: number | undefined,
  note: (text: string) => void,
): Promise<T> => {
  if (port === undefined) return await orAnyPort(listen, DEFAULT_PORT, note)
  try {
    return await listen(port)
  } catch (error) {
    if (!isTaken(error)) throw error
    const message = `found ${port}, which is taken; want a free port, or 0 for any`
    throw new ConfigError([{ source: 'flag --port', message }])
  }
}

const orAnyPort = async <T>(
  listen: Listening<T>,
  port: number,
  note: (text: string) => void,
): Promise<T> => {
  try {
    return await listen(port)
  } catch (error) {
    if (!isTaken(error)) throw error
    note(`Port ${port} is taken, so another one is used.`)
    return await listen(0)
  }
}

/** The port after this one, or any where there is none. */
const nextPort = (port: number): number => (port + 1) % 65_536

/** A port that others hold, or that this user may not have. */
const isTaken = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'EADDRINUSE' || error.code === 'EACCES')

const gateSettings = (demo: {
  readonly host: string
  readonly app: string
  readonly front: string
}): Record<string, string> => ({
  CLAIMGATE_UPSTREAM: demo.app,
  CLAIMGATE_ISSUER: 'localhost',
  CLAIMGATE_AUDIENCE: 'localhost',
  CLAIMGATE_JWKS_URI: `${demo.front}${KEY_SET_PATH}`,
  CLAIMGATE_ADMIN_LISTEN: at(demo.host, 0),
  CLAIMGATE_PRESET: 'grafana',
  CLAIMGATE_LOG_LEVEL: 'warn',
  CLAIMGATE_LOG_FORMAT: 'pretty',
  CLAIMGATE_DRAIN_DELAY: '0s',
  CLAIMGATE_DRAIN_TIMEOUT: '1s',
})

const ready = async (admin: string): Promise<void> => {
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (Date.now() < deadline) {
    const answer = await fetch(`${admin}/readyz`)
    await answer.body?.cancel()
    if (answer.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`claimgate did not become ready within ${READY_TIMEOUT_MS} ms`)
}

const at = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

const originOf = ({ address, port }: AddressInfo): string => `http://${at(address, port)}`
