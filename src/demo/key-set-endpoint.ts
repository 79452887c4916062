import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JSONWebKeySet } from 'jose'

export const KEY_SET_PATH = '/.well-known/pomerium/jwks.json'

/** Answers GET and HEAD with the key set as Pomerium does: fresh for a minute, strong ETag, 304 when it matches. */
export const createKeySetEndpoint = (jwks: JSONWebKeySet) => {
  const body = Buffer.from(JSON.stringify(jwks))
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`
  const common = {
    'cache-control': 'max-age=60',
    etag,
    'access-control-allow-origin': '*',
  }
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, common).end()
      return
    }
    response
      .writeHead(200, {
        ...common,
        'content-type': 'application/json',
        'content-length': body.length,
      })
      .end(body)
  }
}
