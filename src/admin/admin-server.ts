import fastify, { type FastifyInstance } from 'fastify'
import type { KeySetStatus } from '../key-set/types.ts'
import { NO_SCHEMAS } from '../no-schemas.ts'
import type { Metrics } from './metrics.ts'

export interface AdminOptions {
  readonly keySetStatus: () => KeySetStatus
  readonly isDraining: () => boolean
  /** About the settings, for people and scripts; holds none of them. */
  readonly reloadStatus: () => object
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>
}

export interface Readiness {
  readonly ready: boolean
  /** For people; holds no address. Empty when ready. */
  readonly reasons: readonly string[]
}

/** Ready means: the next good request can be decided, and this instance is not going away. */
export function readiness({
  keySetStatus,
  isDraining,
}: Pick<AdminOptions, 'keySetStatus' | 'isDraining'>): Readiness {
  const keySet = keySetStatus()
  const reasons = [
    ...(keySet.usable ? [] : [`key set: ${keySet.reason ?? 'not loaded yet'}`]),
    ...(isDraining() ? ['draining'] : []),
  ]
  return { ready: reasons.length === 0, reasons }
}

/** Health and metrics, on a port of their own so that no path of the app is taken. */
export async function createAdminServer(options: AdminOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: 10_000,
    schemaController: NO_SCHEMAS,
  })
  app.server.on('connection', (socket) => socket.on('error', () => undefined))
  let hasStarted = false

  const report = (isOk: boolean, body: object) => ({ status: isOk ? 200 : 503, body })
  const routes: Readonly<Record<string, () => { status: number; body: object | string }>> = {
    '/healthz': () => report(true, { live: true }),
    '/ping': () => ({ status: 200, body: 'pong\n' }),
    '/reloadz': () => report(true, options.reloadStatus()),
    '/readyz': () => {
      const state = readiness(options)
      return report(state.ready, state)
    },
    '/startupz': () => {
      hasStarted ||= options.keySetStatus().usable
      return report(hasStarted, { started: hasStarted })
    },
  }
  for (const [path, answer] of Object.entries(routes)) {
    app.get(path, (_request, reply) => {
      const { status, body } = answer()
      reply.code(status).header('Cache-Control', 'no-store').send(body)
    })
  }
  app.get('/metrics', async (_request, reply) => {
    const text = await options.metrics.text()
    return reply.header('Content-Type', options.metrics.contentType).send(text)
  })
  await app.ready()
  return app
}
