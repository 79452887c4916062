import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { requestBytes } from '../../helpers/claimgate.ts'
import { keepAliveClient } from '../../helpers/keep-alive-client.ts'
import { type Program, until } from '../../helpers/program.ts'
import { type RawClient, rawClient, statusOf } from '../../helpers/raw-client.ts'
import { OK, rawUpstream } from '../../helpers/raw-upstream.ts'
import { HANDSHAKE, opening } from '../websocket/trial.ts'
import { type Interpreter, only, type Trial } from './trial.ts'

const KIB = 1024
const LIMIT = 50

const connects = only(async ({ start, ask, is, ok }) => {
  const program = await start({ CLAIMGATE_MAX_CONNECTIONS: String(LIMIT) })
  const clients: (Socket & { text?: string })[] = []
  for (let i = 0; i < 500; i++) {
    const socket: Socket & { text?: string } = connect(program.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      socket.text = `${socket.text ?? ''}${chunk}`
    })
    clients.push(socket)
  }
  const open = () => clients.filter((socket) => !socket.closed).length
  await until(() => open() <= LIMIT, 'rid of what is beyond the limit')
  is(open(), LIMIT, 'connections that stay')
  const answers = clients.flatMap(({ text }) => (text === undefined ? [] : [text]))
  ok(answers.length > 0, 'none was told')
  ok(
    answers.every((text) => /^HTTP\/1\.1 503 [\s\S]*Retry-After/.test(text)),
    `one was told ${answers.find((text) => !text.startsWith('HTTP/1.1 503 '))}`,
  )
  ok(await program.isReady(), 'the admin port is not answered')
  for (const socket of clients) socket.destroy()
  await until(async () => (await ask(program)).status === 200, 'well again')
})

const headerCount = only(async ({ start, app, issuer, ask, is }) => {
  const program = await start()
  for (const count of [2_001, 10_000]) {
    const lines = Array.from({ length: count }, (_, i) => `x: ${i % 10}`)
    const before = app.arrived()
    const client = await keepAliveClient(program)
    const spoof = 'X-Pomerium-Claim-Email: mallory'
    const { status } = await client.ask(
      requestBytes(issuer.assertion(), { lines: [...lines, spoof] }),
    )
    is(status, 431, `the status of ${count} fields`)
    is(app.arrived(), before, 'requests that reached the app')
    client.end()
  }
  const lines = Array.from({ length: 950 }, () => 'x: y')
  const { status, body } = await ask(program, {
    lines: [...lines, 'x-pomerium-claim-email: mallory'],
  })
  is(status, 200, 'the status of 950 fields')
  is(JSON.parse(body).email, 'ann@example.com', 'the identity behind 950 fields')
})

const longUrl = only(async ({ start, ask, ok }) => {
  const program = await start()
  for (const size of [64 * KIB, 200 * KIB]) {
    const { status } = await ask(program, { line: `GET /${'u'.repeat(size)} HTTP/1.1` })
    ok([200, 414, 431].includes(status), `${size} bytes: ${status}`)
  }
})

/** User and system time of the process, milliseconds. */
function cpuTime({ child }: Program): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** A program in front of an upstream that keeps every byte. */
async function beforeRaw(
  { t, start }: Trial,
  script: Parameters<typeof rawUpstream>[0],
): Promise<{ program: Program; upstream: Awaited<ReturnType<typeof rawUpstream>> }> {
  const upstream = await rawUpstream(script)
  t.teardown(() => upstream.close())
  const program = await start({ CLAIMGATE_UPSTREAM: `http://127.0.0.1:${upstream.port}` })
  return { program, upstream }
}

/** Sends pieces as fast as they are taken. */
async function pour(client: RawClient, piece: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times; i++)
    if (!client.socket.write(piece))
      await new Promise((resolve) => client.socket.once('drain', resolve))
}

/** A tenth of the case's 10 MB. */
const UPLOAD = 1000 * KIB

/** The chunks keep their sizes, as the body keeps its framing; it is the writes that are put together. */
const oneByteChunks = only(async (trial) => {
  const { issuer, is, ok, t } = trial
  let reads = 0
  const { program, upstream } = await beforeRaw(trial, (socket, received) => {
    socket.on('data', () => {
      reads += 1
      if (received().endsWith('0\r\n\r\n')) socket.write(OK)
    })
  })
  const client = await rawClient(program.port)
  const before = cpuTime(program)
  client.send(
    requestBytes(issuer.assertion(), {
      line: 'POST /t HTTP/1.1',
      lines: ['Transfer-Encoding: chunked'],
    }),
  )
  await pour(client, Buffer.from('1\r\nx\r\n'.repeat(1000)), UPLOAD / 1000)
  client.send('0\r\n\r\n')
  await until(() => client.received().endsWith('\r\n\r\nok'), 'answered', 30_000)
  is(statusOf(client.received()), 200, 'the status')
  const micros = ((cpuTime(program) - before) * 1000) / UPLOAD
  t.comment(`${micros.toFixed(2)} µs of CPU for each byte`)
  ok(micros < 20, `${micros} µs for each byte`)
  const [sent = ''] = upstream.received()
  is(sent.slice(sent.indexOf('\r\n\r\n') + 4).match(/x/g)?.length, UPLOAD, 'bytes of the body')
  ok(reads < UPLOAD / 100, `${reads} reads upstream for ${UPLOAD} bytes`)
})

const webSocketFrames = only(async (trial) => {
  const { issuer, ok, is, t } = trial
  const { program, upstream } = await beforeRaw(trial, opening())
  const client = await rawClient(program.port)
  client.send(requestBytes(issuer.assertion(), { lines: HANDSHAKE }))
  await client.until('HTTP/1.1 101 ')
  const before = program.usage().rss
  // Fragments of one byte of a message that never ends.
  const fragment = [0x00, 0x81, 1, 2, 3, 4, 5]
  const piece = Buffer.from(Array(1000).fill(fragment).flat())
  await pour(client, piece, 1000)
  const arrived = () => (upstream.received()[0] ?? '').length
  await until(() => arrived() >= piece.length * 1000, 'passed on', 20_000)
  const grown = Math.round(program.usage().rss - before)
  t.comment(`a million frames, memory grew by ${grown} MB`)
  ok(grown < 60, `memory grew by ${grown} MB`)
  is(client.socket.closed, false, 'whether the tunnel was closed')
})

export const flood: Readonly<Record<string, Interpreter>> = {
  'flood/connects': connects,
  'flood/header-count': headerCount,
  'flood/url-64k': longUrl,
  'flood/chunk-1byte': oneByteChunks,
  'flood/ws-frames': webSocketFrames,
}
