// What a body on its way to the upstream holds of memory, and that nobody lets go of bytes that are still to be sent.
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request as requestPlain } from 'node:http'
import { request as requestSecurely } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { lettingGo } from '../../src/proxy/body.ts'
import { bodyOf, untilStuck } from '../helpers/bodies.ts'
import { startClaimgate } from '../helpers/claimgate.ts'
import { writeTlsFiles } from '../helpers/transport.ts'

const LARGE = 4 * 1024

t.test('the memory of a large piece is let go of when it was taken in', async (t) => {
  for (const done of [undefined, null]) {
    const piece = Buffer.allocUnsafeSlow(LARGE)
    const letGo = lettingGo(piece)
    t.equal(piece.length, LARGE, 'not before')
    letGo(done)
    t.equal(piece.length, 0)
    t.doesNotThrow(letGo, 'nor does a second call do harm')
  }
})

t.test('what may still be read, is shared, or is small is kept', async (t) => {
  const failed = Buffer.allocUnsafeSlow(LARGE)
  lettingGo(failed)(new Error('EPIPE'))
  t.equal(failed.length, LARGE, 'after an error')
  const shared = Buffer.allocUnsafeSlow(LARGE * 2).subarray(0, LARGE)
  lettingGo(shared)()
  t.equal(shared.length, LARGE, 'a part of larger memory')
  const pooled = Buffer.from('x'.repeat(LARGE))
  if (pooled.buffer.byteLength > LARGE) {
    lettingGo(pooled)()
    t.equal(pooled.length, LARGE, 'of the pool')
  }
  const small = Buffer.allocUnsafeSlow(LARGE - 1)
  lettingGo(small)()
  t.equal(small.length, LARGE - 1, 'small')
})

const SIZE = 8 * 1024 * 1024
const NAMES = ['a', 'b', 'c']

/** An app that reads nothing until it is told to, and then keeps all that comes. */
async function slowApp(t: Test, make: (take: (socket: Socket) => void) => Server) {
  const received = new Map<Socket, Buffer[]>()
  const server = make((socket) => {
    const pieces: Buffer[] = []
    received.set(socket, pieces)
    socket.on('error', () => undefined).pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return {
    port: (server.address() as AddressInfo).port,
    received,
    readAll() {
      for (const [socket, pieces] of received) {
        let tail = ''
        socket.on('data', (piece: Buffer) => {
          pieces.push(piece)
          tail = (tail + piece.toString('latin1', Math.max(0, piece.length - 32))).slice(-32)
          if (tail.includes('DONE!')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        })
        socket.resume()
      }
    },
  }
}

/** The bytes of a body as they were framed. */
function unframed(pieces: readonly Buffer[]): Buffer {
  const all = Buffer.concat(pieces)
  const end = all.indexOf('\r\n\r\n')
  const body = all.subarray(end + 4)
  if (!/transfer-encoding: chunked/i.test(all.toString('latin1', 0, end))) return body
  const data: Buffer[] = []
  for (let at = 0; ; ) {
    const line = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, line), 16)
    if (!(size > 0)) return Buffer.concat(data)
    data.push(body.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}

const CASES = ['length', 'chunked'].flatMap((framing) => [
  { framing, transport: 'plain' },
  { framing, transport: 'TLS' },
])

for (const { framing, transport } of CASES)
  t.test(
    `uploads that wait for a slow app keep their bytes: ${framing}, ${transport}`,
    async (t) => {
      const tls = transport === 'TLS' ? writeTlsFiles(t) : undefined
      const app = await slowApp(t, (take) =>
        tls === undefined
          ? createServer(take)
          : createTlsServer(
              { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) },
              take,
            ),
      )
      const changes = tls === undefined ? {} : overTls(tls, app.port)
      const gate = await startClaimgate(t, app.port, changes)
      const send = (name: string) => {
        const headers = {
          'X-Pomerium-Jwt-Assertion': gate.assertion(),
          ...(framing === 'length' ? { 'Content-Length': SIZE + 5 } : {}),
        }
        const options = {
          port: gate.port,
          method: 'POST',
          path: `/${name}`,
          headers,
          agent: false as const,
        }
        const request =
          tls === undefined
            ? requestPlain(options)
            : requestSecurely({ ...options, rejectUnauthorized: false })
        const answered = once(request, 'response')
        request.write(bodyOf(name, SIZE))
        request.end('DONE!')
        return { request, answered }
      }
      const uploads = NAMES.map(send)
      await untilStuck(() => uploads.map(({ request }) => request.socket?.bytesWritten))
      app.readAll()
      for (const { answered } of uploads) {
        const [response] = await answered
        t.equal(response.statusCode, 200)
        response.resume()
      }
      const bodies = [...app.received.values()].map(unframed)
      for (const name of NAMES) {
        const wanted = Buffer.concat([bodyOf(name, SIZE), Buffer.from('DONE!')])
        t.equal(bodies.filter((body) => body.equals(wanted)).length, 1, `/${name}`)
      }
    },
  )

function overTls(tls: ReturnType<typeof writeTlsFiles>, port: number) {
  const caFile = join(dirname(tls.certFile), 'ca.crt')
  writeFileSync(caFile, tls.ca)
  return {
    tls,
    upstream: { protocol: 'https:', hostname: '127.0.0.1', port } as const,
    upstreamTls: {
      caFile,
      serverName: 'localhost',
      clientCertFile: undefined,
      clientKeyFile: undefined,
    },
  }
}
