import { mock } from 'node:test'
import t from 'tap'
import { ConnectTimeoutError } from '../../src/proxy/connector.ts'
import { UpstreamFault } from '../../src/proxy/upstream-fault.ts'
import { forwardScripted, last, type Trial, upstreamOf } from './scripted-forward.ts'

const BODY = ['Content-Length', '2']

/** How often a request is sent whose connections all die. */
function sendingsOf(trial: Trial): number {
  const { sendings } = forwardScripted(trial)
  for (let i = 0; i < sendings.length; i++) upstreamOf(last(sendings)).fail()
  return sendings.length
}

t.test('only a bodyless idempotent request is sent again, and once', async (t) => {
  const reused = { isReused: true }
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
    t.equal(sendingsOf({ ...reused, method }), 2, method)
  for (const method of ['POST', 'PATCH', 'LOCK'])
    t.equal(sendingsOf({ ...reused, method }), 1, method)
  t.equal(sendingsOf({ ...reused, method: 'PUT', lines: BODY }), 1, 'with a body')
})

t.test(
  'a request on a new connection, or with a part of its answer, is not sent again',
  async (t) => {
    t.equal(sendingsOf({ isReused: false }), 1)
    t.equal(sendingsOf({ isReused: true, hasHeard: true }), 1)
  },
)

t.test(
  'only what a dead connection took is sent again, not what an app is slow with',
  async (t) => {
    for (const [code, sent] of [
      ['UPSTREAM_CLOSED', 2],
      ['ECONNRESET', 2],
      ['EPIPE', 2],
      ['UPSTREAM_SILENT', 1],
      ['ANSWER_MALFORMED', 1],
      ['ETIMEDOUT', 1],
    ] as const) {
      const { sendings } = forwardScripted({ isReused: true, method: 'DELETE' })
      upstreamOf(last(sendings)).fail(Object.assign(new Error('a'), { code }))
      t.equal(sendings.length, sent, code)
    }
  },
)

t.test(
  'a request that is sent again goes over a new connection, and the dead one is gone',
  async (t) => {
    const { sendings, refusals } = forwardScripted({ isReused: true })
    const first = last(sendings)
    t.equal(first.maxIdle, Number.POSITIVE_INFINITY)
    upstreamOf(first).fail()
    t.equal(first.fate, 'destroyed')
    t.equal(last(sendings).maxIdle, 0)
    t.same(refusals, [])
    upstreamOf(last(sendings)).fail()
    t.equal(last(sendings).fate, 'destroyed')
    t.match(refusals, [{ code: 'ERR_UPSTREAM_UNAVAILABLE', status: 502 }])
  },
)

t.test('what must not be sent twice goes over no connection idle for a second', async (t) => {
  t.equal(last(forwardScripted({ method: 'POST' }).sendings).maxIdle, 1_000)
  t.equal(last(forwardScripted({ method: 'PUT', lines: BODY }).sendings).maxIdle, 1_000)
})

t.test('a body goes on when there is one', async (t) => {
  t.equal(last(forwardScripted({ method: 'POST', lines: BODY }).sendings).hasBody, true)
  const chunked = ['Transfer-Encoding', 'chunked']
  t.equal(last(forwardScripted({ method: 'POST', lines: chunked }).sendings).hasBody, true)
  t.equal(last(forwardScripted({ lines: ['Content-Length', '0'] }).sendings).hasBody, false)
})

t.test(
  'after a whole answer the connection is used again, once the whole body is on it',
  async (t) => {
    for (const [isWhole, fate] of [
      [true, 'released'],
      [false, 'destroyed'],
    ] as const) {
      const { sendings, request, response } = forwardScripted({ method: 'POST', lines: BODY })
      const upstream = upstreamOf(last(sendings))
      upstream.sent()
      upstream.head()
      request.emit('data', Buffer.from('ok'))
      // All of it has come; only its end says that all of it was written.
      request.complete = true
      if (isWhole) request.emit('end')
      upstream.end()
      t.equal(last(sendings).fate, fate)
      t.equal(response.writableEnded, true)
    }
    const { sendings } = forwardScripted()
    upstreamOf(last(sendings)).end()
    t.equal(last(sendings).fate, 'released', 'without a body')
  },
)

t.test('the body is framed as it came, and waits for the upstream', async (t) => {
  const chunked = ['Transfer-Encoding', 'chunked']
  for (const [lines, expected] of [
    [BODY, ['ok', '(end)']],
    [chunked, ['2\r\n', 'ok', '\r\n', '0\r\n\r\n', '(end)']],
  ] as const) {
    const trial = { method: 'POST', lines, isSlow: true }
    const { sendings, request, written } = forwardScripted(trial)
    const upstream = upstreamOf(last(sendings))
    t.equal(request.listenerCount('data'), 0, 'nothing is read before there is a connection')
    upstream.sent()
    request.emit('data', Buffer.from('ok'))
    t.equal(request.isRead, false)
    upstream.drain()
    t.equal(request.isRead, true)
    request.emit('end')
    t.same(written, expected)
  }
})

t.test('after the answer nothing more of the body is carried', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { sendings, request, written, refusals, exchange } = forwardScripted({
    method: 'POST',
    lines: BODY,
  })
  const upstream = upstreamOf(last(sendings))
  upstream.sent()
  request.complete = false
  upstream.end()
  mock.timers.tick(120_000)
  t.same(refusals, [], 'nor waited for')
  t.equal(exchange.reason, undefined)
  t.equal(request.isRead, false)
  t.equal(request.listenerCount('data') + request.listenerCount('end'), 0)
  t.same(written, [])
})

t.test('a client that goes away ends the connection to the upstream, once', async (t) => {
  const { sendings, response, refusals } = forwardScripted({ isReused: true })
  const upstream = upstreamOf(last(sendings))
  response.emit('close')
  t.equal(last(sendings).fate, 'destroyed')
  upstream.fail()
  t.equal(sendings.length, 1, 'not sent again')
  t.same(refusals, [])
})

t.test('the answer is held back each time that its client does not take it', async (t) => {
  const { sendings, response, reading, exchange } = forwardScripted({ isFull: true })
  const upstream = upstreamOf(last(sendings))
  upstream.head()
  for (let round = 0; round < 2; round++) {
    upstream.data('abc')
    upstream.data('de')
    t.equal(response.listenerCount('drain'), 1, 'once for all that was read together')
    response.emit('drain')
  }
  t.same(reading, ['pause', 'resume', 'pause', 'resume'])
  upstream.data('f')
  upstream.end('ghi')
  t.same(reading.slice(4), ['pause', 'resume'], 'whoever uses the connection next reads it')
  t.equal(exchange.bytes, 14)
})

t.test(
  'what waits for the client is a copy: the next read takes the place of what was read',
  async (t) => {
    const { sendings, answered } = forwardScripted()
    upstreamOf(last(sendings)).head()
    const read = Buffer.from('abc')
    const { receiver } = last(sendings)
    receiver.onData(read)
    receiver.onEnd(read)
    read.fill('!')
    t.equal(answered.join(' '), 'abc abc')
  },
)

t.test('status and time are those of the final head', async (t) => {
  const { sendings, exchange } = forwardScripted()
  const upstream = upstreamOf(last(sendings))
  upstream.head(103)
  t.equal(exchange.status, undefined)
  t.equal(exchange.upstreamDuration, undefined)
  upstream.head(203)
  t.equal(exchange.status, 203)
  t.equal(exchange.upstreamDuration, 0)
})

t.test('an answer that breaks off is cut, not ended and not answered by us', async (t) => {
  const { sendings, response, refusals, socket, exchange } = forwardScripted()
  const upstream = upstreamOf(last(sendings))
  upstream.head()
  upstream.data('abc')
  upstream.fail()
  t.equal(last(sendings).fate, 'destroyed')
  t.equal(response.destroyed, true)
  t.equal(response.writableEnded, false)
  t.equal(socket.wasReset, false)
  t.same(refusals, [])
  t.equal(exchange.reason, 'upstream broke off')
})

t.test('in HTTP/1.0, where the end of the connection ends a body, it is reset', async (t) => {
  const { sendings, socket } = forwardScripted({ httpVersion: '1.0' })
  const upstream = upstreamOf(last(sendings))
  upstream.head()
  upstream.fail()
  t.equal(socket.wasReset, true)
})

t.test('no connection in time is a timeout, any other failure is not', async (t) => {
  const slow = new UpstreamFault('UPSTREAM_SILENT', 'a')
  const refused = Object.assign(new Error('127.0.0.1'), { code: 'ECONNREFUSED' })
  for (const [error, code, status, reason] of [
    [new ConnectTimeoutError(), 'ERR_UPSTREAM_TIMEOUT', 504, 'ConnectTimeoutError'],
    [slow, 'ERR_UPSTREAM_TIMEOUT', 504, 'UPSTREAM_SILENT'],
    [refused, 'ERR_UPSTREAM_UNAVAILABLE', 502, 'ECONNREFUSED'],
    [new TypeError('x'), 'ERR_UPSTREAM_UNAVAILABLE', 502, 'TypeError'],
  ] as const) {
    const { sendings, refusals } = forwardScripted()
    upstreamOf(last(sendings)).fail(error)
    t.match(refusals, [{ code, status, reason }])
  }
})

t.test('a body may be slow, or wait for the upstream, but not be silent', async (t) => {
  const limit = 1_000
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { sendings, refusals, request, socket } = forwardScripted({
    method: 'POST',
    lines: BODY,
    bodyIdleTimeout: limit,
  })
  request.complete = false
  for (let i = 0; i < 5; i++) {
    socket.bytesRead += 1
    mock.timers.tick(limit)
  }
  t.same(refusals, [], 'a byte each second')
  request.readableLength = 1
  mock.timers.tick(5 * limit)
  t.same(refusals, [], 'the upstream does not read')
  request.readableLength = 0
  request.complete = true
  mock.timers.tick(5 * limit)
  t.same(refusals, [], 'all has come')
  request.complete = false
  mock.timers.tick(limit)
  t.match(refusals, [{ code: 'ERR_REQUEST_MALFORMED', status: 408 }])
  t.equal(last(sendings).fate, 'destroyed')
  mock.timers.tick(5 * limit)
  t.equal(refusals.length, 1, 'and it is refused once')
})
