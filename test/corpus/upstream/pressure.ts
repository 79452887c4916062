import { setTimeout as wait } from 'node:timers/promises'
import { statusOf } from '../../helpers/raw-client.ts'
import { OK } from '../../helpers/raw-upstream.ts'
import { readAnswers } from '../wire/strict-reading.ts'
import { answerEach, type Interpreter, upstreamIdle, within } from './trial.ts'

const BUSY = 'HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nX-Why: full\r\nContent-Length: 4\r\n\r\nlate'

/** Events of the stream, and the time between two of them: a tenth of the case's, with limits smaller than that. */
const EVENTS = 6
const PAUSE = 400

export const pressure: Readonly<Record<string, Interpreter>> = {
  'pressure/503-x': {
    script: answerEach(BUSY),
    run: async ({ stage, is, ok }) => {
      const answer = await stage.ask()
      const [message] = readAnswers(answer).messages
      is(message?.startLine, 'HTTP/1.1 503 Busy', 'the status line')
      is(message?.body, 'late', 'the body')
      ok(answer.includes('\r\nRetry-After: 7\r\nX-Why: full\r\n'), 'its fields are lost')
      is(stage.upstream.count('GET /t'), 1, 'how often it was sent')
    },
  },
  'pressure/sse': {
    settings: { bodyIdleTimeout: 200, keepAliveTimeout: 200, upstreamResponseTimeout: 300 },
    run: async ({ stage, ok, is }) => {
      const sent: number[] = []
      stage.upstream.follow((socket) => {
        socket.once('data', async () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
          for (let i = 0; i < EVENTS; i++) {
            await wait(PAUSE)
            sent.push(performance.now())
            socket.write(`data: ${i}\n\n`)
          }
        })
      })
      const client = await stage.connect()
      client.send(stage.bytes())
      for (let i = 0; i < EVENTS; i++) {
        await client.until(`data: ${i}\n\n`)
        const late = performance.now() - (sent[i] ?? 0)
        ok(late < 200, `event ${i} was ${Math.round(late)} ms late`)
      }
      is(client.socket.closed, false, 'whether the stream was cut')
    },
  },
  'pressure/slow-upload': {
    settings: { bodyIdleTimeout: 300 },
    script: () => undefined,
    run: async ({ stage, ok, is }) => {
      const client = await stage.connect()
      client.send(stage.bytes({ line: 'POST /t HTTP/1.1', lines: ['Content-Length: 1000000'] }))
      for (let i = 0; i < 10; i++) {
        client.send('x'.repeat(100))
        await wait(100)
      }
      is(client.received(), '', 'what a client got that is slow but not silent')
      const stopped = performance.now()
      const answer = await client.untilClose()
      is(statusOf(answer), 408, 'the status of one that is silent')
      ok(performance.now() - stopped < 2_000, 'it was told late')
      ok(await upstreamIdle(stage), 'the upstream request was not aborted')
    },
  },
  'pressure/all-conns-hang': {
    script: () => undefined,
    run: async ({ stage, ok, is }) => {
      for (let i = 0; i < 200; i++) (await stage.connect()).send(stage.bytes())
      ok(await within(5_000, () => stage.upstream.count('GET /t') === 200), 'not all 200 hang')
      stage.upstream.follow((socket) => {
        socket.on('data', () => socket.write(OK))
      })
      const started = performance.now()
      const health = await fetch(`http://127.0.0.1:${stage.gate.adminPort}/healthz`)
      await health.arrayBuffer()
      is(health.status, 200, 'health')
      const answers = await Promise.all(Array.from({ length: 10 }, () => stage.ask()))
      is(answers.map(statusOf).join(), Array(10).fill(200).join(), 'the normal ones')
      ok(performance.now() - started < 1_000, 'they were blocked')
    },
  },
}
