import { type IncomingMessage, STATUS_CODES, request as sendRequest } from 'node:http'
import { type Duplex, pipeline } from 'node:stream'
import { destination, type Onward } from './forward.ts'
import { headerLines, type RawHeaders, withoutHopByHop } from './request-headers.ts'

/** A client's connection after its upgrade request: the socket, and the bytes that came with the request. */
export interface Upgrading {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Sends an upgrade request on. After the upstream's 101 the two sockets are one pipe; any other answer is relayed. */
export const tunnel = (client: Upgrading, onward: Onward): void => {
  const { request, socket } = client
  const outgoing = sendRequest({
    ...destination(request, onward),
    agent: false,
    headers: [...onward.headers, 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''],
  })
  outgoing.on('upgrade', (answer, upstream, upstreamHead) => {
    upstream.on('error', () => socket.destroy())
    socket.write(head(answer, answer.rawHeaders))
    socket.write(upstreamHead)
    upstream.write(client.head)
    pipeline(upstream, socket, upstream, () => {})
  })
  outgoing.on('response', (answer) => {
    const headers = withoutHopByHop(answer.rawHeaders, ['transfer-encoding'])
    socket.write(head(answer, [...headers, 'Connection', 'close']))
    pipeline(answer, socket, () => {})
  })
  outgoing.on('error', () => refuseUpgrade(socket, 502))
  socket.on('close', () => outgoing.destroy())
  outgoing.end()
}

/** Answers an upgrade request with a bare status and closes the connection. */
export const refuseUpgrade = (socket: Duplex, status: number, headers: RawHeaders = []): void => {
  socket.end(
    head({ statusCode: status }, [...headers, 'Content-Length', '0', 'Connection', 'close']),
  )
}

const head = (
  answer: { readonly statusCode?: number | undefined },
  headers: RawHeaders,
): Buffer => {
  const status = answer.statusCode ?? 502
  const lines = headerLines(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`,
    'latin1',
  )
}
