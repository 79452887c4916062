import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { createExchange } from '../../src/exchange.ts'
import type { Tunnel } from '../../src/proxy/splice.ts'
import type { TunnelRequest } from '../../src/proxy/tunnel.ts'
import { limitTunnelAge } from '../../src/proxy/tunnel-age.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const HOUR = 3_600_000

/** A tunnel that is open and keeps what it is closed with, under a clock of the test's. */
function openOne(t: Test, { maxAge, chance = 0 }: { maxAge: number | undefined; chance?: number }) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const closed: number[] = []
  const opened: Tunnel[] = []
  const client = new EventEmitter()
  const tunnel: Tunnel = { close: (status) => void closed.push(status) }
  const open = limitTunnelAge((request) => request.onOpen(tunnel), {
    config: { tunnelMaxAge: maxAge },
    random: () => chance,
  })
  const request: TunnelRequest = {
    client: client as Socket,
    early: Buffer.alloc(0),
    target: '/ws',
    headers: [],
    exchange: createExchange({ method: 'GET', target: '/ws' }, 0),
    refuse: () => t.fail('refused'),
    onOpen: (each) => void opened.push(each),
  }
  open(request)
  t.same(opened, [tunnel], 'the tunnel is told of')
  return { closed, client }
}

t.test('a tunnel is closed with 1001 at its age, once', async (t) => {
  const { closed } = openOne(t, { maxAge: HOUR })
  mock.timers.tick(HOUR - 1)
  t.same(closed, [])
  mock.timers.tick(1)
  t.same(closed, [1001])
  mock.timers.tick(2 * HOUR)
  t.same(closed, [1001])
})

t.test('chance makes it up to a tenth earlier, and never later', async (t) => {
  const { closed } = openOne(t, { maxAge: HOUR, chance: 0.999_999 })
  mock.timers.tick(0.9 * HOUR - 1)
  t.same(closed, [])
  mock.timers.tick(2)
  t.same(closed, [1001])
})

t.test('a tunnel that ended before is not closed', async (t) => {
  const { closed, client } = openOne(t, { maxAge: HOUR })
  client.emit('close')
  mock.timers.tick(2 * HOUR)
  t.same(closed, [])
})

t.test('without the setting a tunnel has no age', async (t) => {
  const { closed, client } = openOne(t, { maxAge: undefined })
  mock.timers.tick(1000 * HOUR)
  t.same(closed, [])
  t.equal(client.listenerCount('close'), 0)
})

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
/** A text frame, `Hi`, in two pieces. */
const FRAME = ['\x81\x02H', 'i'] as const

t.test('through the server both sides get a close frame, behind the frame under way', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.once('data', () => socket.write(SWITCHING + FRAME[0], 'latin1'))
    socket.on('data', (chunk) => {
      // The close frame of claimgate: only now the rest of the frame comes.
      if (chunk[0] === 0x88) socket.write(FRAME[1])
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { tunnelMaxAge: 100 })
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), { lines: HANDSHAKE }))
  const received = await client.untilClose()
  t.equal(received.split('\r\n\r\n')[1], `${FRAME.join('')}\x88\x02\x03\xe9`)
  const atUpstream = Buffer.from((upstream.received()[0] ?? '').slice(-8), 'latin1')
  t.equal(atUpstream.readUInt16BE(0), 0x8882, 'masked, as of a client')
  t.equal(atUpstream.readUInt16BE(6) ^ atUpstream.readUInt16BE(2), 1001)
})
