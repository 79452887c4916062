import { statusOf } from '../../helpers/raw-client.ts'
import { stoppedListener } from './elsewhere.ts'
import {
  answerEach,
  end,
  type Interpreter,
  isFixedRefusal,
  openSockets,
  upstreamIdle,
  within,
} from './trial.ts'

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** A handshake the upstream refuses, and clients that leave. */
export const ends: Readonly<Record<string, Interpreter>> = {
  'upgrade/upgrade-502': {
    script: answerEach('HTTP/1.1 500 Broken\r\nContent-Length: 3\r\n\r\nwhy'),
    run: async ({ stage, is, ok }) => {
      const client = await stage.connect()
      client.send(stage.bytes({ lines: HANDSHAKE }))
      const answer = await client.untilClose()
      is(statusOf(answer), 500, 'the status')
      ok(answer.endsWith('\r\n\r\nwhy'), 'the body is lost')
      ok(await upstreamIdle(stage), 'the upstream connection was kept')
    },
  },
  'upgrade/upgrade-cut': {
    script: (socket) => void socket.once('data', () => end(socket)),
    run: async (trial) => {
      isFixedRefusal(trial, await trial.stage.ask({ lines: HANDSHAKE }))
      trial.stage.upstream.follow(answerEach('HTTP/1.1 101 Switching Proto', end))
      isFixedRefusal(trial, await trial.stage.ask({ lines: HANDSHAKE }))
    },
  },
  'client/abort-upload': {
    script: () => undefined,
    run: async ({ stage, ok }) => {
      for (const framing of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
        const client = await stage.connect()
        client.send(
          stage.bytes({ line: 'POST /t HTTP/1.1', lines: [framing], body: '3\r\nabc\r\n' }),
        )
        await stage.upstream.until(/\r\n\r\n[\s\S]*abc/)
        client.socket.resetAndDestroy()
        ok(await upstreamIdle(stage), `${framing}: the upstream request was not aborted in 1 s`)
      }
      ok(!stage.upstream.received().some((text) => text.endsWith('0\r\n\r\n')), 'it looks whole')
    },
  },
  // No request waits for another's connection here: each that finds none idle gets its own. What can still be waited for
  // is that connection.
  'client/abort-queued': {
    elsewhere: stoppedListener,
    run: async ({ stage, ok, is, heal }) => {
      const client = await stage.connect()
      const before = openSockets()
      client.send(stage.bytes({ line: 'GET /left HTTP/1.1' }))
      ok(await within(1_000, () => openSockets() > before), 'nothing was dialled')
      client.socket.destroy()
      ok(await within(1_000, () => openSockets() < before), 'the attempt was not given up')
      is(await heal(), 0, 'requests that were sent later')
    },
  },
  // A half-closed connection cannot be told from a closed one, and a client that goes away cancels its request.
  'client/half-close': {
    script: () => undefined,
    run: async ({ stage, is, ok }) => {
      const client = await stage.connect()
      client.send(stage.bytes())
      await stage.upstream.until('GET /t HTTP/1.1')
      client.socket.end()
      is(await client.untilClose(1_000), '', 'what a half-closed client got')
      ok(await upstreamIdle(stage), 'the upstream request was not cancelled')
    },
  },
}
