import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { RawClient } from '../../helpers/raw-client.ts'
import type { Script } from '../../helpers/raw-upstream.ts'
import type { Stage } from '../upstream/trial.ts'

export const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

export const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

/** Opens every tunnel that is asked for, and then does as told. */
export const opening =
  (then: Script = () => undefined): Script =>
  (socket, received) => {
    socket.once('data', () => {
      socket.write(SWITCHING)
      then(socket, received)
    })
  }

/** Echoes what comes after the handshake. */
export const echoing: Script = opening((socket) => {
  socket.on('data', (chunk) => socket.write(chunk))
})

/** A real WebSocket client with a good assertion, open. */
export async function openSocket(
  { gate }: Stage,
  headers: Readonly<Record<string, string>> = {},
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${gate.port}/live?a=1`, ['chat', 'other'], {
    headers: { 'X-Pomerium-Jwt-Assertion': gate.assertion(), ...headers },
    maxPayload: 64 * 1024 * 1024,
  })
  socket.on('error', () => undefined)
  await once(socket, 'open')
  return socket
}

/** An open tunnel of raw bytes. */
export async function openRaw(stage: Stage, target = '/t'): Promise<RawClient> {
  const client = await stage.connect()
  client.send(stage.bytes({ line: `GET ${target} HTTP/1.1`, lines: HANDSHAKE }))
  await client.until(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/)
  return client
}

/** What came behind the head. */
export const tunnelled = (client: RawClient): string =>
  client.received().slice(client.received().indexOf('\r\n\r\n') + 4)
