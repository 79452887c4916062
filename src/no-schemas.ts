import type { FastifyServerOptions } from 'fastify'

const refuse = (): never => {
  throw new Error('no route has a schema')
}

/** Fastify's compilers of schemas are not loaded: with a seventh of all code, for routes that have none. */
export const NO_SCHEMAS = {
  compilersFactory: { buildValidator: refuse, buildSerializer: refuse },
} as const satisfies FastifyServerOptions['schemaController']
