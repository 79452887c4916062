import { statusOf } from '../../helpers/raw-client.ts'
import { OK } from '../../helpers/raw-upstream.ts'
import { readAnswers, valuesOf } from '../wire/strict-reading.ts'
import {
  answerEach,
  type Interpreter,
  isFixedRefusal,
  type RequestShape,
  type Trial,
  upstreamIdle,
} from './trial.ts'

interface Wanted {
  readonly status: number
  /** Lines that must be in the answer as they are. */
  readonly lines?: readonly string[]
  readonly body?: string
}

/** The upstream's answer reaches the client as it is, and the client's connection serves another request. */
function passedOn(answer: string, wanted: Wanted, request?: RequestShape): Interpreter {
  return {
    script: answerEach(answer),
    run: async (trial) => {
      checkAnswer(trial, await trial.stage.ask(request), wanted, request)
      await followedByOwn(trial, request)
    },
  }
}

function checkAnswer(
  { is, ok }: Trial,
  text: string,
  wanted: Wanted,
  request: RequestShape | undefined,
): void {
  const method = request?.line?.split(' ')[0] ?? 'GET'
  const { messages, end, fault } = readAnswers(text, [method])
  const answer = messages.at(-1)
  is(fault, undefined, 'the fault in the answer')
  is(end, text.length, 'the end of the answer')
  is(statusOf(answer?.startLine ?? ''), wanted.status, 'the status')
  if (wanted.body !== undefined) is(answer?.body, wanted.body, 'the body')
  for (const line of wanted.lines ?? [])
    ok(text.includes(`\r\n${line}\r\n`), `${JSON.stringify(line)} is not in the answer`)
}

/** Two requests on one client connection; the second answer is the one to the second request. */
async function followedByOwn({ stage, is }: Trial, request?: RequestShape): Promise<void> {
  const client = await stage.connect()
  client.send(stage.bytes(request))
  const method = request?.line?.split(' ')[0] ?? 'GET'
  const methods = [method, 'GET']
  const count = (text: string) => finals(text, methods).length
  await client.until((text) => count(text) === 1)
  stage.upstream.follow((socket) => {
    socket.once('data', () => socket.write(OK.replace('200 OK', '203 Own')))
  })
  for (const socket of stage.upstream.open) socket.destroy()
  client.send(stage.bytes())
  const text = await client
    .until((received) => count(received) === 2)
    .catch(() => client.received())
  is(finals(text, methods)[1], 'HTTP/1.1 203 Own', 'the answer to the next request')
}

const finals = (text: string, methods: readonly string[]): string[] =>
  readAnswers(text, methods)
    .messages.map(({ startLine }) => startLine)
    .filter((line) => !line.startsWith('HTTP/1.1 1'))

const HEAD = { line: 'HEAD /t HTTP/1.1' }

export const response: Readonly<Record<string, Interpreter>> = {
  'response/100': {
    script: answerEach(`HTTP/1.1 100 Continue\r\n\r\n${OK}`),
    run: async (trial) => {
      checkAnswer(trial, await trial.stage.ask(), { status: 200, body: 'ok' }, undefined)
      trial.stage.upstream.follow((socket) => {
        socket.once('data', () => {
          const pieces = `HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 100 Go\r\n\r\n${OK}`.split(
            /(?<=[\r/])/,
          )
          const next = () => {
            const piece = pieces.shift()
            if (piece !== undefined) socket.write(piece, () => setImmediate(next))
          }
          next()
        })
      })
      for (const socket of trial.stage.upstream.open) socket.destroy()
      checkAnswer(trial, await trial.stage.ask(), { status: 200, body: 'ok' }, undefined)
      trial.is(trial.stage.upstream.connections(), 2, 'upstream connections')
    },
  },
  'response/101-unasked': {
    script: answerEach(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    ),
    run: async (trial) => {
      isFixedRefusal(trial, await trial.stage.ask())
      trial.ok(await upstreamIdle(trial.stage), 'the upstream connection was kept')
    },
  },
  'response/status-999': passedOn('HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok', {
    status: 999,
    body: 'ok',
  }),
  'response/204-body': {
    script: answerEach('HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok'),
    run: async (trial) => {
      const answer = await trial.stage.ask()
      checkAnswer(trial, answer, { status: 204, body: '' }, undefined)
      const fields = readAnswers(answer).messages[0]?.fields ?? []
      trial.is(valuesOf(fields, 'content-length').length, 0, 'Content-Length fields of a 204')
      trial.ok(await upstreamIdle(trial.stage), 'the upstream connection was kept')
      trial.stage.upstream.follow(
        answerEach(
          'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
        ),
      )
      checkAnswer(trial, await trial.stage.ask(), { status: 204, body: '' }, undefined)
      await followedByOwn(trial)
    },
  },
  'response/head-body': {
    script: answerEach('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
    run: async (trial) => {
      const wanted = { status: 200, body: '', lines: ['Content-Length: 5'] }
      checkAnswer(trial, await trial.stage.ask(HEAD), wanted, HEAD)
      trial.ok(await upstreamIdle(trial.stage), 'the upstream connection was kept')
      await followedByOwn(trial, HEAD)
    },
  },
  'response/dup-headers': passedOn(
    'HTTP/1.1 401 No\r\nVary: a\r\nLink: <a>\r\nVary: b\r\nWWW-Authenticate: Basic\r\nLink: <b>\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n',
    {
      status: 401,
      lines: [
        'Vary: a\r\nLink: <a>\r\nVary: b\r\nWWW-Authenticate: Basic\r\nLink: <b>\r\nWWW-Authenticate: Bearer',
      ],
    },
  ),
  'response/redirect': passedOn(
    'HTTP/1.1 302 Found\r\nLocation: http://upstream:3000/login\r\nContent-Length: 0\r\n\r\n',
    { status: 302, lines: ['Location: http://upstream:3000/login'] },
  ),
  'response/latin1-header': passedOn(
    'HTTP/1.1 200 Caf\xe9\r\nX-Name: caf\xe9\r\nContent-Length: 0\r\n\r\n',
    { status: 200, lines: ['X-Name: caf\xe9'] },
  ),
  'response/range': passedOn(
    'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\nETag: "x"\r\n\r\n\x00\xff\x0d',
    { status: 206, body: '\x00\xff\x0d', lines: ['Content-Range: bytes 2-4/10', 'ETag: "x"'] },
    { lines: ['Range: bytes=2-4'] },
  ),
}
