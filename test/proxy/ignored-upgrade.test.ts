// Node's parser stops behind a request with an Upgrade that nobody takes up, and drops the rest of the packet. What then
// comes in the next one begins in the middle of something: a body would be read as a request.
import t, { type Test } from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { exchangeBytes, rawClient } from '../helpers/raw-client.ts'
import { OK, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const UPGRADE = ['Connection: Upgrade', 'Upgrade: h2c']

async function open(t: Test, script?: Script) {
  const upstream = await rawUpstream(script)
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  const request = (line: string, lines: readonly string[] = [], body = '') =>
    requestBytes(gate.assertion(), { line: `${line} HTTP/1.1`, lines, body })
  const targets = () =>
    upstream
      .received()
      .join('')
      .match(/^[A-Z]+ \/\S*/gm) ?? []
  return { gate, client, request, targets, upstream }
}

/** Long enough for bytes that were sent before to be read and to reach whom they may: each pass is several turns of the loop. */
async function pass(port: number) {
  for (let turn = 0; turn < 5; turn++)
    await exchangeBytes(port, requestBytes(undefined, { lines: ['Connection: close'] }))
}

const answers = (text: string) => text.match(/HTTP\/1\.1 \d+/g)

for (const [name, lines, body] of [
  ['without a body', [], ''],
  ['with a length', ['Content-Length: 4'], 'body'],
] as const)
  t.test(`behind an ignored upgrade ${name} no body becomes a request`, async (t) => {
    const { gate, client, request, targets, upstream } = await open(t)
    const hidden = request('GET /hidden')
    const second = request('POST /second', [`Content-Length: ${hidden.length}`])
    client.send(request('POST /first', [...UPGRADE, ...lines], body) + second)
    await upstream.until(/POST \/first/)
    client.send(hidden)
    const text = await client.untilClose()
    t.same(answers(text), ['HTTP/1.1 200'])
    t.match(text, /\r\nConnection: close\r\n/i)
    t.same(targets(), ['POST /first'])
    t.equal(gate.logLines().filter(({ msg }) => msg === 'request').length, 1)
  })

for (const [name, behind] of [
  ['a request', ['GET /hidden']],
  ['a body that is none', ['POST /hidden', ['Transfer-Encoding: chunked'], 'none\r\n']],
] as readonly (readonly [string, readonly [string, (readonly string[])?, string?]])[])
  t.test(
    `while an ignored upgrade waits for its answer, ${name} behind it is nothing`,
    async (t) => {
      const { promise: mayAnswer, resolve } = Promise.withResolvers<void>()
      const { client, gate, request, targets, upstream } = await open(t, (socket) => {
        socket.once('data', () => mayAnswer.then(() => socket.write(OK)))
      })
      client.send(request('POST /first', UPGRADE))
      await upstream.until(/POST \/first/)
      const [line, lines = [], body = ''] = behind
      client.send(request(line, lines, body))
      await pass(gate.port)
      resolve()
      const text = await client.untilClose()
      await pass(gate.port)
      t.same(answers(text), ['HTTP/1.1 200'])
      t.match(text, /ok$/)
      t.same(targets(), ['POST /first'])
      // Nor did it get as far as to be refused, or to find its client gone.
      t.notOk(gate.logLines().some(({ path }) => path === '/hidden'))
    },
  )

t.test(
  'what came before an ignored upgrade is answered in order, what comes behind is not',
  async (t) => {
    const { client, request, targets } = await open(t)
    client.send(request('GET /a') + request('GET /b', UPGRADE) + request('GET /c'))
    t.same(answers(await client.untilClose()), ['HTTP/1.1 200', 'HTTP/1.1 200'])
    t.same(targets(), ['GET /a', 'GET /b'])
  },
)

t.test(
  'a broken body behind an ignored upgrade that waits takes nothing away from it',
  async (t) => {
    const { promise: mayAnswer, resolve } = Promise.withResolvers<void>()
    const { client, gate, request, targets, upstream } = await open(t, (socket) => {
      socket.on('data', () => mayAnswer.then(() => socket.write(OK)))
    })
    client.send(request('GET /a'))
    await upstream.until(/GET \/a/)
    client.send(request('GET /b', UPGRADE))
    await pass(gate.port)
    client.send(request('POST /c', ['Transfer-Encoding: chunked'], 'none\r\n'))
    await pass(gate.port)
    resolve()
    t.same(answers(await client.untilClose()), ['HTTP/1.1 200', 'HTTP/1.1 200'])
    await pass(gate.port)
    t.same(targets(), ['GET /a', 'GET /b'])
  },
)

t.test('a refused request with an ignored upgrade is the last as well', async (t) => {
  const { client, request, targets } = await open(t)
  client.send(requestBytes(undefined, { lines: UPGRADE }) + request('GET /c'))
  t.same(answers(await client.untilClose()), ['HTTP/1.1 401'])
  t.same(targets(), [])
})

t.test('an Upgrade that Connection does not name changes nothing', async (t) => {
  const { client, request, targets } = await open(t)
  client.send(request('GET /a', ['Upgrade: h2c']) + request('GET /b'))
  await client.until((text) => answers(text)?.length === 2)
  t.same(targets(), ['GET /a', 'GET /b'])
  client.socket.destroy()
})
