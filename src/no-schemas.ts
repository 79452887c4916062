import type { FastifyServerOptions } from 'fastify'

const refuse = (): never => {
  throw new Error('no route has a schema')
}

/** Fastify does not load its compilers of schemas, a fifth of all code in the bundle, for routes that have none. */
export const NO_SCHEMAS = {
  compilersFactory: { buildValidator: refuse, buildSerializer: refuse },
} as const satisfies FastifyServerOptions['schemaController']
