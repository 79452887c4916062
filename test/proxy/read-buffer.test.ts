import { get, type IncomingMessage } from 'node:http'
import { get as getSecurely } from 'node:https'
import type { Socket } from 'node:net'
import t from 'tap'
import { bodyOf, untilStuck } from '../helpers/bodies.ts'
import { startClaimgate } from '../helpers/claimgate.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { writeTlsFiles } from '../helpers/transport.ts'

const SIZE = 16 * 1024 * 1024
const NAMES = ['a', 'b', 'c']

const BODIES = new Map(NAMES.map((name) => [name, bodyOf(name, SIZE)]))
const HEAD = 'HTTP/1.1 200 OK\r\n'

type Send = (socket: Socket, body: Buffer) => void

const FRAMINGS: readonly (readonly [string, Send])[] = [
  [
    'of a known length',
    (socket, body) => {
      socket.write(`${HEAD}Content-Length: ${SIZE}\r\n\r\n`)
      socket.write(body)
    },
  ],
  [
    'in chunks',
    (socket, body) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
      for (let at = 0; at < SIZE; at += 50_000) {
        const data = body.subarray(at, at + 50_000)
        socket.write(`${data.length.toString(16)}\r\n`)
        socket.write(data)
        socket.write('\r\n')
      }
      socket.write('0\r\n\r\n')
    },
  ],
  [
    'that end with their connection',
    (socket, body) => {
      socket.write(`${HEAD}\r\n`)
      socket.end(body)
    },
  ],
]

const takenBy = (sockets: ReadonlySet<Socket>) =>
  [...sockets].map(({ bytesWritten, writableLength }) => bytesWritten - writableLength)

async function collect(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece)
  return Buffer.concat(pieces)
}

const CASES = FRAMINGS.flatMap(([kind, send]) => [
  { kind, send, transport: 'plain' },
  { kind, send, transport: 'TLS' },
])

for (const { kind, send, transport } of CASES)
  t.test(`bodies ${kind} that wait for slow clients keep their bytes: ${transport}`, async (t) => {
    const sockets = new Set<Socket>()
    const upstream = await rawUpstream((socket) => {
      sockets.add(socket)
      // Each head comes in one piece; a connection may bring one after the other.
      socket.on('data', (head: Buffer) => {
        send(socket, BODIES.get(/^GET \/(\w)/.exec(head.toString())?.[1] ?? '') ?? Buffer.alloc(0))
      })
    })
    t.teardown(() => upstream.close())
    const tls = transport === 'TLS' ? writeTlsFiles(t) : undefined
    const gate = await startClaimgate(t, upstream.port, { tls })
    const ask = (name: string) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { 'X-Pomerium-Jwt-Assertion': gate.assertion() }
        // Nobody reads the body yet.
        const options = { port: gate.port, path: `/${name}`, headers, agent: false as const }
        const request =
          tls === undefined
            ? get(options, resolve)
            : getSecurely({ ...options, rejectUnauthorized: false }, resolve)
        request.on('error', reject)
      })
    // Twice: what the first answers left behind serves the second.
    for (const round of [1, 2]) {
      const answers = await Promise.all(NAMES.map(ask))
      await untilStuck(() => takenBy(sockets))
      const bodies = await Promise.all(answers.map(collect))
      for (const [i, name] of NAMES.entries())
        t.ok(bodies[i]?.equals(BODIES.get(name) ?? Buffer.alloc(0)), `/${name}, round ${round}`)
    }
  })
