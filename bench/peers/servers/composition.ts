/** Fastify, @fastify/http-proxy with its own forwarding, and jose: the obvious way to build the same thing. */
import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'

const { PORT, UPSTREAM = '', JWKS_URI = '', EXPECTED = '' } = process.env
const CLOCK_SKEW = 60
const ASSERTION = 'x-pomerium-jwt-assertion'

declare module 'fastify' {
  interface FastifyRequest {
    claims?: JWTPayload
  }
}

const keys = createRemoteJWKSet(new URL(JWKS_URI))
const app = Fastify({ keepAliveTimeout: 3_600_000 })
app.decorateRequest('claims')

await app.register(proxy, {
  upstream: UPSTREAM,
  async preHandler(request, reply) {
    const assertion = request.headers[ASSERTION]
    try {
      const { payload } = await jwtVerify(String(assertion ?? ''), keys, {
        issuer: EXPECTED,
        audience: EXPECTED,
        algorithms: ['ES256'],
        requiredClaims: ['exp', 'iat', 'sub'],
        clockTolerance: CLOCK_SKEW,
      })
      // Without a largest age jose does not compare `iat` with the clock.
      if (Number(payload.iat) > Date.now() / 1000 + CLOCK_SKEW) throw new Error('not yet valid')
      request.claims = payload
    } catch {
      return reply.code(401).send()
    }
  },
  replyOptions: {
    rewriteRequestHeaders({ claims = {} }, headers) {
      const kept = Object.fromEntries(
        Object.entries(headers).filter(([name]) => !name.startsWith('x-pomerium-')),
      )
      return {
        ...kept,
        'x-pomerium-claim-sub': String(claims.sub),
        'x-pomerium-claim-user': String(claims['user']),
        'x-pomerium-claim-email': String(claims['email']),
        'x-pomerium-claim-name': String(claims['name']),
        'x-pomerium-claim-groups': [claims['groups']].flat().join(','),
      }
    },
  },
})
await app.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 4096 })
