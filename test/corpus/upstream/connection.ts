import { statusOf } from '../../helpers/raw-client.ts'
import type { Script } from '../../helpers/raw-upstream.ts'
import { OK } from '../../helpers/raw-upstream.ts'
import { closedPort, stoppedListener } from './elsewhere.ts'
import {
  answerEach,
  end,
  type Interpreter,
  isFixedRefusal,
  type Trial,
  upstreamIdle,
} from './trial.ts'

/** Any answer like this one is none: 502, and the connection it came on is not used again. */
function broken(script: Script): Interpreter {
  return {
    script,
    run: async (trial) => {
      isFixedRefusal(trial, await trial.stage.ask())
      trial.ok(await upstreamIdle(trial.stage), 'the upstream connection was kept')
      const post = { line: 'POST /once HTTP/1.1', lines: ['Content-Length: 2'], body: 'hi' }
      isFixedRefusal(trial, await trial.stage.ask(post))
      trial.is(trial.stage.upstream.count('POST /once'), 1, 'how often the POST was sent')
    },
  }
}

const head = (...lines: string[]): string => `HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`

/** Answers the first request of a connection, and ends it when the second comes. */
const diesOnReuse =
  (die: 'end' | 'resetAndDestroy'): Script =>
  (socket) => {
    socket.once('data', () => {
      socket.write(OK)
      socket.once('data', () => socket[die]())
    })
  }

async function reuse(trial: Trial, line: string): Promise<string> {
  const { stage } = trial
  stage.upstream.follow(diesOnReuse('end'))
  trial.is(statusOf(await stage.ask()), 200, 'the first answer')
  stage.upstream.follow((socket) => socket.on('data', () => socket.write(OK)))
  return stage.ask({ line: `${line} HTTP/1.1`, lines: ['Content-Length: 0'] })
}

/** The 200 that nobody asked for says so. */
const STRAY = OK.replace('\r\n\r\nok', '\r\n\r\nno')

async function strayNeverArrives(trial: Trial, script: Script): Promise<void> {
  const { stage } = trial
  stage.upstream.follow(script)
  for (let round = 0; round < 20; round++) {
    const answer = await stage.ask()
    trial.ok(!answer.endsWith('no'), `round ${round}: a stray answer was taken`)
    trial.ok([200, 502].includes(statusOf(answer)), `round ${round}: ${statusOf(answer)}`)
  }
}

export const connection: Readonly<Record<string, Interpreter>> = {
  'connection/refused': {
    elsewhere: closedPort,
    run: async (trial) => {
      const started = performance.now()
      isFixedRefusal(trial, await trial.stage.ask())
      trial.ok(performance.now() - started < 1_000, 'it took a second')
    },
  },
  'connection/blackhole': {
    settings: { upstreamConnectTimeout: 300 },
    elsewhere: stoppedListener,
    run: async (trial) => {
      const started = performance.now()
      isFixedRefusal(trial, await trial.stage.ask(), 504)
      const took = Math.round(performance.now() - started)
      trial.ok(took >= 290 && took < 1_500, `it took ${took} ms`)
    },
  },
  'connection/reset': broken((socket) => {
    socket.once('data', () => socket.resetAndDestroy())
  }),
  'connection/fin-idle-reuse': {
    run: async (trial) => {
      trial.is(statusOf(await reuse(trial, 'GET /again')), 200, 'the GET')
      trial.ok(trial.stage.upstream.count('GET /again') <= 2, 'the GET was sent three times')
      for (const socket of trial.stage.upstream.open) socket.destroy()
      const post = await reuse(trial, 'POST /once')
      trial.ok([200, 502].includes(statusOf(post)), `the POST got ${statusOf(post)}`)
      trial.ok(trial.stage.upstream.count('POST /once') <= 1, 'the POST was sent twice')
    },
  },
  'connection/half-headers': broken(answerEach('HTTP/1.1 200 OK\r\nContent-Le', end)),
  'connection/http09': broken(answerEach('hello\n', end)),
  'connection/bad-header-byte': broken(answerEach(head('X: a\x01b', 'Content-Length: 0'))),
  'connection/cl-te': broken(
    answerEach(`${head('Content-Length: 2', 'Transfer-Encoding: chunked')}2\r\nok\r\n0\r\n\r\n`),
  ),
  'connection/neg-cl': broken(answerEach(head('Content-Length: -1'))),
  'connection/chunk-cut': {
    script: answerEach(`${head('Transfer-Encoding: chunked')}5\r\nhello\r\n`, end),
    run: async ({ stage, is, ok }) => {
      const client = await stage.connect()
      client.send(stage.bytes())
      const answer = await client.untilClose()
      is(statusOf(answer), 200, 'the status')
      ok(!answer.includes('0\r\n\r\n'), 'the answer looks whole')
    },
  },
  'connection/extra-response': {
    run: async (trial) => {
      await strayNeverArrives(trial, (socket) => {
        socket.on('data', () => socket.write(OK + STRAY))
      })
      await strayNeverArrives(trial, (socket) => {
        socket.on('data', () => socket.write(OK, () => setImmediate(() => socket.write(STRAY))))
      })
      trial.ok(await upstreamIdle(trial.stage), 'an upstream connection was kept')
    },
  },
  'connection/response-before-request': {
    script: (socket) => void socket.write(STRAY),
    run: async (trial) => {
      for (let round = 0; round < 20; round++) isFixedRefusal(trial, await trial.stage.ask())
      trial.ok(await upstreamIdle(trial.stage), 'the upstream connection was kept')
    },
  },
}
