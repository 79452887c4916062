// docs/http2.md: HTTP/2 is not spoken, and whoever tries gets a clean end. The app never hears of it.
import { connect } from 'node:http2'
import t, { type Test } from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, rawClient, statusOf } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

/** RFC 9113 §3.4: what every client with prior knowledge sends first. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const EMPTY_SETTINGS = '\x00\x00\x00\x04\x00\x00\x00\x00\x00'
const REFUSED = {
  method: '-',
  path: '',
  status: 400,
  decision: 'reject',
  code: 'ERR_REQUEST_MALFORMED',
  reason: 'HPE_PAUSED_H2_UPGRADE',
}

async function setUp(t: Test) {
  const app = await rawUpstream()
  t.teardown(() => app.close())
  const gate = await startClaimgate(t, app.port)
  const requestLines = () => gate.logLines().filter(({ msg }) => msg === 'request')
  return { app, gate, requestLines }
}

for (const [what, bytes] of [
  ['alone', PREFACE],
  ['with settings', PREFACE + EMPTY_SETTINGS],
  ['with more bytes than a packet holds', PREFACE + EMPTY_SETTINGS.repeat(20_000)],
] as const)
  t.test(`the preface of HTTP/2 ${what} gets one 400 and reaches nobody`, async (t) => {
    const { app, gate, requestLines } = await setUp(t)
    const answer = await exchangeBytes(gate.port, bytes)
    t.equal(statusOf(answer), 400)
    t.equal(codeOf(answer), 'ERR_REQUEST_MALFORMED')
    t.match(answer, '\r\nConnection: close\r\n')
    t.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1)
    t.match(requestLines(), [REFUSED])
    t.equal(app.connections(), 0)
  })

t.test('the preface is refused byte by byte, too', async (t) => {
  const { app, gate, requestLines } = await setUp(t)
  const client = await rawClient(gate.port)
  client.socket.setNoDelay(true)
  for (const byte of PREFACE) {
    client.send(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(statusOf(await client.untilClose()), 400)
  t.match(requestLines(), [REFUSED])
  t.equal(app.connections(), 0)
})

t.test('a preface behind a good request is no part of it', async (t) => {
  const { app, gate } = await setUp(t)
  const answer = await exchangeBytes(gate.port, requestBytes(gate.assertion()) + PREFACE)
  t.same(answer.match(/HTTP\/1\.1 (\d+)/g), ['HTTP/1.1 200', 'HTTP/1.1 400'])
  t.equal(app.connections(), 1)
  t.notMatch(app.received().join(''), 'PRI ')
})

t.test('a gRPC call with a good assertion fails at once, and the app hears nothing', async (t) => {
  const { app, gate } = await setUp(t)
  const session = connect(`http://127.0.0.1:${gate.port}`)
  t.teardown(() => session.destroy())
  const errors: unknown[] = []
  session.on('error', (error) => errors.push(error))
  const call = session.request({
    ':method': 'POST',
    ':path': '/helloworld.Greeter/SayHello',
    'content-type': 'application/grpc',
    te: 'trailers',
    'x-pomerium-jwt-assertion': gate.assertion(),
  })
  call.on('response', () => t.fail('nobody may answer'))
  call.on('error', (error) => errors.push(error))
  call.end(Buffer.alloc(5))
  await new Promise<void>((resolve) => session.on('close', () => resolve()))
  t.match(errors, [{ code: 'ERR_HTTP2_ERROR' }, { code: 'ERR_HTTP2_ERROR' }])
  t.equal(app.connections(), 0)
  const next = await exchangeBytes(
    gate.port,
    requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
  )
  t.equal(statusOf(next), 200, 'others are served')
})
