import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { NOW_MS } from '../../helpers/mint.ts'
import { type Interpreter, type Trial, upstreamIdle, within } from '../upstream/trial.ts'
import { createApp } from './app.ts'
import { echoing, opening, openRaw, openSocket, tunnelled } from './trial.ts'

const MIB = 1024 * 1024

/** A quarter of the case's gigabyte is still a hundred times what may be held. */
const PUSHED = 256 * MIB
const MAY_GROW = 48

async function stillEchoes({ is }: Trial, client: Awaited<ReturnType<typeof openRaw>>) {
  const before = tunnelled(client).length
  client.send('still here')
  await client.until((text) => text.endsWith('still here')).catch(() => undefined)
  is(tunnelled(client).slice(before), 'still here', 'the echo')
}

/** Writes as long as the other side takes something; returns when it has taken nothing for a while. */
async function push(socket: NodeJS.WritableStream & { writableLength: number }): Promise<number> {
  const piece = Buffer.alloc(64 * 1024)
  let pushed = 0
  while (pushed < PUSHED) {
    pushed += piece.length
    if (socket.write(piece)) continue
    const isTaken = await Promise.race([once(socket, 'drain').then(() => true), wait(500, false)])
    if (!isTaken) break
  }
  return pushed
}

const rss = () => Math.round(process.memoryUsage().rss / MIB)

const rst =
  (side: 'client' | 'upstream'): Interpreter['run'] =>
  async ({ stage, ok }) => {
    const client = await openRaw(stage)
    const [upstream] = stage.upstream.open
    if (side === 'client') {
      client.socket.resetAndDestroy()
      ok(await upstreamIdle(stage), 'the upstream was not closed within 1 s')
    } else {
      upstream?.resetAndDestroy()
      ok(await within(1_000, () => client.socket.closed), 'the client was not closed within 1 s')
    }
  }

function bigFrame(): Interpreter {
  const app = createApp()
  return {
    script: app.script,
    run: async ({ stage, ok }) => {
      const socket = await openSocket(stage)
      const sent = Buffer.alloc(16 * MIB, 'frame')
      socket.send(sent, { compress: false })
      const [received] = (await once(socket, 'message')) as [Buffer]
      ok(sent.equals(received), `${received.length} other bytes came back`)
      socket.terminate()
    },
  }
}

function pingPong(): Interpreter {
  const app = createApp()
  return {
    script: app.script,
    run: async ({ stage, is }) => {
      const socket = await openSocket(stage)
      socket.ping('up')
      is(String((await once(socket, 'pong'))[0]), 'up', 'the pong of the app')
      is(app.pings.join(), 'up', 'the pings that reached the app')
      const pong = once(app.sockets[0] ?? socket, 'pong')
      app.sockets[0]?.ping('down')
      is(String((await pong)[0]), 'down', 'the pong of the client')
      socket.terminate()
      stage.upstream.follow(opening())
      const raw = await openRaw(stage)
      raw.send(Buffer.from([0x89, 0x80, 1, 2, 3, 4]))
      await stage.upstream.until('\x89\x80\x01\x02\x03\x04')
      is(tunnelled(raw), '', 'what answered a ping that the app ignores')
    },
  }
}

function deflate(): Interpreter {
  const app = createApp()
  return {
    script: app.script,
    run: async ({ stage, is, ok }) => {
      const socket = await openSocket(stage)
      ok(socket.extensions.includes('permessage-deflate'), 'not negotiated')
      const text = 'compress me '.repeat(100_000)
      socket.send(text)
      const [echoed] = await once(socket, 'message')
      is(String(echoed).length, text.length, 'the length of the echo')
      const client = app.handshakes[0]?.socket
      const bytes = client?.bytesRead ?? text.length
      ok(bytes < text.length / 10, `${bytes} bytes went upstream for ${text.length}`)
      socket.terminate()
    },
  }
}

/** Each one is against RFC 6455 §5.2; claimgate looks at lengths alone. */
const ODD_FRAMES = [
  [0xf1, 0x81, 1, 2, 3, 4, 5],
  [0x81, 0x01, 0x41],
  [0x83, 0x80, 1, 2, 3, 4],
  [0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4],
]

export const tunnels: Readonly<Record<string, Interpreter>> = {
  'tunnel/past-exp-default': {
    script: echoing,
    run: async (trial) => {
      const { stage, clock, is } = trial
      const client = await openRaw(stage)
      clock.now = NOW_MS + 3600_000
      await stillEchoes(trial, client)
      const late = await stage.connect()
      late.send(stage.bytes({ lines: ['Connection: close'] }))
      is((await late.untilClose()).slice(9, 12), '401', 'a request with that assertion')
      clock.now = NOW_MS
    },
  },
  'tunnel/idle': {
    settings: { headerTimeout: 200, bodyIdleTimeout: 200, keepAliveTimeout: 200 },
    script: echoing,
    run: async (trial) => {
      const client = await openRaw(trial.stage)
      await wait(2_000)
      await stillEchoes(trial, client)
    },
  },
  'tunnel/backpressure-up': {
    script: opening((socket) => socket.pause()),
    run: async ({ stage, ok, t }) => {
      const client = await openRaw(stage)
      const before = rss()
      const pushed = await push(client.socket)
      ok(pushed < PUSHED, 'all was taken')
      ok(rss() - before < MAY_GROW, `client to upstream: ${rss() - before} MiB`)
      t.comment(`client to upstream: ${Math.round(pushed / MIB)} MiB were taken`)
      client.socket.destroy()
      stage.upstream.follow(opening())
      const reader = await openRaw(stage)
      reader.socket.pause()
      const down = [...stage.upstream.open].at(-1)
      const pushedDown = down === undefined ? PUSHED : await push(down)
      ok(pushedDown < PUSHED, 'all was taken')
      ok(rss() - before < MAY_GROW, `upstream to client: ${rss() - before} MiB`)
      t.comment(`upstream to client: ${Math.round(pushedDown / MIB)} MiB were taken`)
      down?.destroy()
    },
  },
  'tunnel/rst': {
    script: opening(),
    run: async (trial) => {
      await rst('client')(trial)
      await rst('upstream')(trial)
    },
  },
  'tunnel/big-frame': bigFrame(),
  'tunnel/ping-pong': pingPong(),
  'tunnel/deflate': deflate(),
  'tunnel/reserved-bits': {
    script: opening(),
    run: async ({ stage, ok }) => {
      for (const frame of ODD_FRAMES) {
        const client = await openRaw(stage)
        client.send(Buffer.from(frame))
        const bytes = Buffer.from(frame).toString('latin1')
        ok(
          (await stage.upstream.until(bytes).catch(() => '')) !== '',
          `${frame} was neither passed on`,
        )
        client.socket.destroy()
      }
    },
  },
  'tunnel/max-age': {
    settings: { tunnelMaxAge: 500 },
    script: opening(),
    run: async ({ stage, is, ok }) => {
      const started = performance.now()
      const client = await openRaw(stage)
      await client.untilClose(2_000)
      const age = performance.now() - started
      ok(age > 440 && age < 1_500, `it was closed after ${Math.round(age)} ms`)
      is(tunnelled(client), '\x88\x02\x03\xe9', 'the frame that the client got')
      ok(await upstreamIdle(stage), 'the upstream was not closed within 1 s')
    },
  },
  'tunnel/drain': {
    settings: { drainTimeout: 3_000 },
    endsClaimgate: true,
    script: opening(),
    run: async ({ stage, is, ok }) => {
      const client = await openRaw(stage)
      const started = performance.now()
      await stage.gate.gate.drain()
      ok(performance.now() - started < 2_500, 'the drain took its whole time')
      is(tunnelled(client), '\x88\x02\x03\xe9', 'the frame that the client got')
      const last = Buffer.from((stage.upstream.received()[0] ?? '').slice(-8), 'latin1')
      is(last.readUInt16BE(0), 0x8882, 'the head of the frame that the upstream got')
      const status = (last.readUInt16BE(6) ^ last.readUInt16BE(2)) & 0xffff
      is(status, 1001, 'its status')
    },
  },
}
