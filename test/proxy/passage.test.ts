import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import type { ForwardRequest } from '../../src/proxy/forward.ts'
import { createRequestHandlers } from '../../src/proxy/passage.ts'
import { createRecorder } from '../../src/proxy/recorder.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { createLogRecorder } from '../helpers/log-recorder.ts'
import { exchangeBytes } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

for (const [name, status, line, lines, body] of [
  ['a coding before chunked', 501, 'POST', ['Transfer-Encoding: cow, chunked'], '0\r\n\r\n'],
  ['another version', 505, 'GET', [], ''],
  ['an unknown expectation', 417, 'GET', ['Expect: x'], ''],
  ['a refused method', 405, 'TRACE', [], ''],
] as const)
  t.test(`after ${name} nothing more is read from the connection`, async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const version = status === 505 ? '2.0' : '1.1'
    const request = requestBytes(gate.assertion(), {
      line: `${line} /t HTTP/${version}`,
      lines,
      body,
    })
    const answer = await exchangeBytes(gate.port, request + requestBytes(gate.assertion()))
    t.same(answer.match(/HTTP\/1\.1 \d+/g), [`HTTP/1.1 ${status}`])
    t.match(answer, /\r\nConnection: close\r\n/)
    t.equal(upstream.connections(), 0)
  })

/** A request whose steps the test takes one by one. */
function stepByStep() {
  const forwarded: ForwardRequest[] = []
  const recorder = createRecorder({
    config: { errorDetail: 'code', logEmail: true },
    decide: async () => ({ lines: [], verified: undefined, dropped: 0 }),
    observer: { begin: () => undefined, end: () => undefined },
    log: createLogRecorder() as unknown as Parameters<typeof createRecorder>[0]['log'],
    now: () => 0,
    defer: (run) => run(),
  })
  const handlers = createRequestHandlers({
    current: () => ({
      recorder,
      forward: (request) => void forwarded.push(request),
      headerRules: { assertionHeader: 'x-assertion', isReserved: () => false, host: undefined },
      answerOf: undefined,
    }),
  })
  const request = {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'a'],
    socket: {},
  }
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    headersSent: false,
    destroy: () => {
      response.destroyed = true
    },
    writeHead: () => {
      throw new Error('a second head')
    },
  })
  return { handlers, forwarded, response, request: request as unknown as IncomingMessage }
}

t.test('for a client that went away during the decision nothing is forwarded', async (t) => {
  for (const destroyed of [false, true]) {
    const { handlers, forwarded, request, response } = stepByStep()
    handlers.begin(request, response as unknown as ServerResponse, 'none')
    await handlers.decide(request)
    response.destroyed = destroyed
    handlers.forward(request)
    t.equal(forwarded.length, destroyed ? 0 : 1)
  }
})

t.test(
  'a fault behind the head of an answer ends the connection, without another head',
  async (t) => {
    const { handlers, request, response } = stepByStep()
    handlers.begin(request, response as unknown as ServerResponse, 'none')
    response.headersSent = true
    handlers.refuse(request, new TypeError('late'))
    t.equal(response.destroyed, true)
  },
)

t.test('no step is taken without a decision', async (t) => {
  const { handlers, forwarded, request, response } = stepByStep()
  t.throws(() => handlers.forward(request), { message: 'request without an exchange' })
  handlers.begin(request, response as unknown as ServerResponse, 'none')
  t.throws(() => handlers.forward(request), { message: 'request without a decision' })
  t.throws(() => handlers.showStatus(request), { message: 'request without a decision' })
  t.same(forwarded, [])
})

t.test('no header line is lost, wherever the limit of Node lies', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const ask = (count: number) => {
    // With Host and Connection; the assertion comes last.
    const lines = [...Array(count - 3).fill('x: y'), 'Connection: close']
    const stamp = `X-Pomerium-Jwt-Assertion: ${gate.assertion()}`
    return exchangeBytes(gate.port, requestBytes(undefined, { lines: [...lines, stamp] }))
  }
  for (const count of [999, 1000]) t.match(await ask(count), /^HTTP\/1\.1 200 /, `${count} lines`)
  t.equal(
    upstream
      .received()
      .join('')
      .match(/^x: y\r$/gm)?.length,
    996 + 997,
  )
  for (const count of [1001, 1002, 1003, 1033, 1064, 2000, 2001, 10_000])
    t.match(await ask(count), /^HTTP\/1\.1 431 /, `${count} lines`)
})
