/**
 * The least that does the work in Node: `bare` with one synchronous `crypto.verify`, the same checks and headers. Shows what
 * of claimgate's cost is Node's, so it does without everything else: no metrics, no line in a log, no limits, one key.
 */
import { createPublicKey, type KeyObject, verify, type webcrypto } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Pool } from 'undici'
import { ecdsaDer } from '../../../src/key-set/signature.ts'

const { PORT, UPSTREAM = '', JWKS_URI = '', EXPECTED } = process.env
const CLOCK_SKEW = 60
const HALF = 32
const pool = new Pool(UPSTREAM, { connections: 128 })
const keySet = (await (await fetch(JWKS_URI)).json()) as {
  keys: (webcrypto.JsonWebKey & { kid: string })[]
}
const keys = new Map<unknown, KeyObject>(
  keySet.keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' })]),
)

type Claims = Readonly<Record<string, unknown>>

const decoded = (part: string): Claims => JSON.parse(Buffer.from(part, 'base64url').toString())

/** `undefined`: refused, whatever the reason. */
function claimsOf(token: unknown): Claims | undefined {
  const [header = '', payload = '', signature = ''] = String(token).split('.')
  const { alg, kid } = decoded(header)
  const key = keys.get(kid)
  const der = ecdsaDer(Buffer.from(signature, 'base64url'), HALF)
  if (alg !== 'ES256' || key === undefined || der === undefined) return undefined
  if (!verify('sha256', Buffer.from(`${header}.${payload}`, 'latin1'), key, der)) return undefined
  const claims = decoded(payload)
  const now = Date.now() / 1000
  const isOurs = claims['iss'] === EXPECTED && claims['aud'] === EXPECTED && claims['sub'] !== ''
  const isTimely =
    Number(claims['exp']) > now - CLOCK_SKEW && Number(claims['iat']) <= now + CLOCK_SKEW
  return isOurs && isTimely ? claims : undefined
}

function identified(headers: IncomingHttpHeaders, claims: Claims): IncomingHttpHeaders {
  const sent: IncomingHttpHeaders = {}
  for (const name of Object.keys(headers))
    if (!name.startsWith('x-pomerium-')) sent[name] = headers[name]
  for (const name of ['sub', 'user', 'email', 'name'])
    sent[`x-pomerium-claim-${name}`] = String(claims[name])
  sent['x-pomerium-claim-groups'] = String(claims['groups'])
  return sent
}

function verified(headers: IncomingHttpHeaders): Claims | undefined {
  try {
    return claimsOf(headers['x-pomerium-jwt-assertion'])
  } catch {
    return undefined
  }
}

const server = createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => {
  const { connection, 'keep-alive': keepAlive, ...headers } = request.headers
  const claims = verified(headers)
  if (claims === undefined) return void response.writeHead(401, { 'content-length': 0 }).end()
  const { method = 'GET', url = '/' } = request
  const body = method === 'GET' ? null : request
  pool
    .request({ method, path: url, headers: identified(headers, claims), body })
    .then(({ statusCode, headers: answered, body: answer }) => {
      const { connection: hop, 'keep-alive': hopToo, ...passed } = answered
      response.writeHead(statusCode, passed)
      answer.on('error', () => response.destroy()).pipe(response)
    })
    .catch(() => response.writeHead(502).end())
})
server.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 4096 })
