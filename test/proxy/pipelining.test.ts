import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openRecordingUpstream } from '../corpus/wire/recording-upstream.ts'
import { readAnswers } from '../corpus/wire/strict-reading.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { OK, rawUpstream } from '../helpers/raw-upstream.ts'

const MIB = 1024 * 1024

t.test('while an answer is awaited, hardly more is read from its connection', async (t) => {
  let release: (() => void) | undefined
  const upstream = await rawUpstream((socket) => {
    socket.on('data', () => {
      if (release === undefined) release = () => socket.write(OK)
      else socket.write(OK)
    })
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  const request = requestBytes(gate.assertion())
  const batch = request.repeat(200)
  const before = process.memoryUsage().rss
  let sent = 0
  for (let isTaken = true; isTaken && sent < 64 * MIB; sent += batch.length) {
    const isBuffered = !client.socket.write(batch, 'latin1')
    if (isBuffered)
      isTaken = await Promise.race([
        once(client.socket, 'drain').then(() => true),
        wait(500, false),
      ])
  }
  const grown = Math.round((process.memoryUsage().rss - before) / MIB)
  t.comment(`${(sent / MIB).toFixed(1)} MiB were taken, rss grew by ${grown} MiB`)
  t.ok(sent < 24 * MIB, 'reading has stopped')
  t.ok(grown < 64, `${grown} MiB`)
  release?.()
  const wanted = Math.floor(sent / request.length)
  const answered = () => readAnswers(client.received()).messages.length
  await client.until((text) => text.length > 100_000)
  t.ok(answered() > 500, `reading goes on: ${answered()} of ${wanted} so far`)
  client.socket.destroy()
})

t.test('pipelined requests with bodies of all sizes keep bodies, order and answers', async (t) => {
  const upstream = await openRecordingUpstream(t)
  const gate = await startClaimgate(t, upstream.port)
  const client = await rawClient(gate.port)
  const bodies = Array.from({ length: 60 }, (_, i) => String(i).repeat((i * 997) % 60_000))
  const requests = bodies.map((body, i) => {
    const isChunked = i % 2 === 1 && body !== ''
    const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
    return requestBytes(gate.assertion(), {
      line: `POST /${i} HTTP/1.1`,
      lines: [framing, ...(i === bodies.length - 1 ? ['Connection: close'] : [])],
      body: isChunked ? `${body.length.toString(16)};x="y"\r\n${body}\r\n0\r\n\r\n` : body,
    })
  })
  client.send(requests.join(''))
  const answers = readAnswers(await client.untilClose(20_000)).messages
  t.same(
    answers.map(({ startLine, body }) => `${startLine} ${body}`),
    bodies.map((_, i) => `HTTP/1.1 200 OK POST /${i}`),
  )
  const arrived = new Map(upstream.requests().map(({ startLine, body }) => [startLine, body]))
  t.equal(arrived.size, bodies.length)
  for (const [i, body] of bodies.entries())
    t.ok(arrived.get(`POST /${i} HTTP/1.1`) === body, `body ${i} of ${body.length} bytes`)
})
