import {
  type Agent,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from 'node:http'
import { pipeline } from 'node:stream'
import { type RawHeaders, withoutHopByHop } from './request-headers.ts'

export interface Onward {
  readonly upstream: URL
  readonly headers: RawHeaders
  readonly agent: Agent
}

/** Sends the request to the upstream and its answer to the client, both as streams. */
export const forward = (
  request: IncomingMessage,
  response: ServerResponse,
  onward: Onward,
): void => {
  const outgoing = sendRequest({
    ...destination(request, onward),
    agent: onward.agent,
    headers: onward.headers,
  })
  outgoing.on('response', (answer) => relay(answer, response))
  outgoing.on('error', () => fail(response))
  response.on('close', () => outgoing.destroy())
  pipeline(request, outgoing, () => {})
}

/** Where and what to send; the target goes on as the client wrote it. */
export const destination = (request: IncomingMessage, { upstream }: Onward) => ({
  host: upstream.hostname,
  port: upstream.port === '' ? 80 : Number(upstream.port),
  method: request.method ?? 'GET',
  path: request.url ?? '/',
})

const relay = (answer: IncomingMessage, response: ServerResponse): void => {
  const headers = withoutHopByHop(answer.rawHeaders, ['transfer-encoding'])
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers)
  response.flushHeaders()
  // An answer that breaks off breaks the client's connection too: pipeline destroys the response.
  pipeline(answer, response, () => {})
}

const fail = (response: ServerResponse): void => {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response
    .writeHead(502, { 'content-type': 'text/plain' })
    .end('Stand-in: nothing answers behind\n')
}
