import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const UPLOAD = { line: 'POST /t HTTP/1.1', lines: ['Transfer-Encoding: chunked'] }

/** The bodies of all requests, in their frames. */
const withoutHeads = (text = '') => text.split(/POST [\s\S]*?\r\n\r\n/).slice(1)

t.test('chunks go on one by one as they came, an empty body too', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  const sent = ['0\r\n\r\n', '1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n']
  for (const [i, body] of sent.entries()) {
    client.send(requestBytes(gate.assertion(), { ...UPLOAD, body }))
    await client.until((text) => text.split('\r\n\r\nok').length === i + 2)
  }
  const bodies = withoutHeads(upstream.received()[0])
  t.same(bodies, sent)
  client.socket.destroy()
})

for (const end of ['end', 'destroy', 'resetAndDestroy'] as const)
  t.test(`a body that its client breaks off by ${end}() never looks whole`, async (t) => {
    let closed: Promise<unknown> | undefined
    const upstream = await rawUpstream((socket) => {
      closed = new Promise((resolve) => socket.once('close', resolve))
    })
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const client = await rawClient(gate.port)
    client.send(requestBytes(gate.assertion(), { ...UPLOAD, body: '1\r\nx\r\n' }))
    await upstream.until('\r\n\r\n1\r\nx')
    client.socket[end]()
    await closed
    t.match(upstream.received()[0], /\r\n\r\n1\r\nx\r\n$/)
  })

t.test('a body that the upstream does not take is not read, and then arrives whole', async (t) => {
  const app: { socket?: Socket } = {}
  const upstream = await rawUpstream((socket) => {
    app.socket = socket.pause()
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  client.send(requestBytes(gate.assertion(), UPLOAD))
  const piece = `ffff\r\n${'x'.repeat(0xffff)}\r\n`
  let pieces = 0
  for (let isTaken = true; isTaken && pieces < 4_000; pieces++)
    if (!client.socket.write(piece))
      isTaken = await Promise.race([
        once(client.socket, 'drain').then(() => true),
        wait(500, false),
      ])
  t.ok(pieces < 800, `${pieces} pieces of 64 KiB were taken`)
  app.socket?.resume()
  client.send('0\r\n\r\n')
  const text = await upstream.until(/\r\n0\r\n\r\n$/)
  t.equal(withoutHeads(text)[0]?.match(/x/g)?.length, pieces * 0xffff)
  client.socket.destroy()
})
