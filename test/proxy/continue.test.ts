import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { passOverContinue } from '../../src/proxy/continue.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { exchangeBytes } from '../helpers/raw-client.ts'
import { OK, rawUpstream } from '../helpers/raw-upstream.ts'

const CONTINUE = 'HTTP/1.1 100 Continue\r\nX: y\r\n\r\n'

/** All that can be read when the bytes come in these pieces while an answer is expected. */
function readBack(pieces: readonly string[]): string {
  const socket = new PassThrough()
  passOverContinue(socket as unknown as Socket).expectAnswer()
  let text = ''
  for (const piece of pieces) {
    socket.write(piece, 'latin1')
    text += socket.read()?.toString('latin1') ?? ''
  }
  return text
}

t.test('a 100 is cut out wherever its bytes are parted', async (t) => {
  const bytes = `${CONTINUE}HTTP/1.1 100\r\n\r\n${OK}`
  for (let cut = 1; cut < bytes.length; cut++)
    t.equal(readBack([bytes.slice(0, cut), bytes.slice(cut)]), OK, `parted at ${cut}`)
  t.equal(readBack([...bytes]), OK, 'byte by byte')
})

t.test('everything else is read as it came', async (t) => {
  for (const text of [OK, `${OK}${CONTINUE}`, 'HTTP/1.1 1000 x\r\n\r\n', 'hello', 'HTTP/1.1 103 x'])
    t.equal(readBack([text]), text)
  const endless = `HTTP/1.1 100 ${'x'.repeat(20_000)}`
  t.equal(readBack([endless]), endless, 'a head that is too long to be held')
})

t.test('what looks like a 100 inside a body belongs to the body', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n'
  t.equal(readBack([head, CONTINUE, OK]), head + CONTINUE + OK)
})

t.test('what comes before a request was sent is not touched', async (t) => {
  const socket = new PassThrough()
  passOverContinue(socket as unknown as Socket)
  socket.write(CONTINUE)
  t.equal(socket.read().toString(), CONTINUE)
})

t.test('a 100 that nobody asked for does not hide the answer, on any connection', async (t) => {
  const upstream = await rawUpstream((socket) => {
    socket.on('data', () => socket.write(CONTINUE + OK))
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  for (let round = 0; round < 3; round++) {
    const answer = await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), { lines: ['Connection: close'] }),
    )
    t.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/)
  }
  t.equal(upstream.connections(), 1)
})
