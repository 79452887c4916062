import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { generateLoad, type Load } from '../../bench/load/generator.ts'
import { CLIENT_FIELDS, FORGED, prepareRequests } from '../../bench/load/requests.ts'

const SHAPE = { method: 'GET', target: '/', host: 'app.example.com', body: 0 }

/** A server that counts assertions and answers with the status that `statusOf` gives to the n-th request. */
async function startServer(t: Test, statusOf: (n: number) => number) {
  const assertions: (string | undefined)[] = []
  const server = createServer(({ headers }, response) => {
    assertions.push(headers['x-pomerium-jwt-assertion'] as string | undefined)
    response.writeHead(statusOf(assertions.length), { 'Content-Length': 2 }).end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, assertions }
}

const load = (port: number, changes: Partial<Load> = {}): Load => ({
  port,
  connections: 4,
  count: 50,
  rate: 0,
  status: 200,
  requests: prepareRequests(SHAPE, ['a', 'b', 'c']),
  offset: 1,
  ...changes,
})

t.test('exactly so many requests are sent, each with the next assertion', async (t) => {
  const { port, assertions } = await startServer(t, () => 200)
  const result = await generateLoad(load(port, { connections: 1, count: 5 }))
  t.match(result, { count: 5, statuses: { 200: 5 }, reopened: 0 })
  t.strictSame(assertions, ['b', 'c', 'a', 'b', 'c'])
})

t.test('a rate is kept', async (t) => {
  const { port, assertions } = await startServer(t, () => 200)
  const { seconds } = await generateLoad(load(port, { rate: 500 }))
  t.equal(assertions.length, 50)
  t.ok(seconds >= 49 / 500, `${seconds} s for 50 requests at 500/s`)
})

t.test('one wrong status fails the whole load', async (t) => {
  const { port } = await startServer(t, (n) => (n === 30 ? 503 : 200))
  await t.rejects(generateLoad(load(port)), { message: /503 instead of 200/ })
})

t.test('a connection that ends after its answer is opened anew', async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Length': 2, Connection: 'close' }).end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const result = await generateLoad(load(port, { connections: 2, count: 10 }))
  t.equal(result.statuses[200], 10)
  t.ok(result.reopened >= 8, `${result.reopened} opened anew`)
})

t.test('a port that nobody listens on is an error', async (t) => {
  const { port } = await startServer(t, () => 200)
  const free = port === 1 ? 2 : 1
  await t.rejects(generateLoad(load(free)), { message: /ECONNREFUSED/ })
})

t.test(
  'every request has a forged identity header, and a body of the length it names',
  async (t) => {
    t.ok(CLIENT_FIELDS.length >= 12)
    const [[joined] = []] = prepareRequests({ ...SHAPE, method: 'POST', body: 100 }, ['token'])
    const text = String(joined)
    t.match(text, `X-Pomerium-Claim-Email: ${FORGED}\r\n`)
    t.match(text, 'Content-Length: 100\r\n')
    t.equal(text.slice(text.indexOf('\r\n\r\n') + 4), 'x'.repeat(100))
    const [[head, body] = []] = prepareRequests({ ...SHAPE, method: 'POST', body: 70_000 }, [''])
    t.equal(body?.length, 70_000)
    t.notMatch(String(head), 'Assertion')
  },
)
