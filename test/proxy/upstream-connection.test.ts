import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createConnect } from '../../src/proxy/connector.ts'
import { type RequestReceiver, UpstreamConnection } from '../../src/proxy/upstream-connection.ts'
import { OK, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const NO_TLS = { ca: undefined, serverName: undefined, cert: undefined, key: undefined }
const GET = { method: 'GET', text: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', hasBody: false }
const POST = { method: 'POST', text: 'POST / HTTP/1.1\r\nHost: a\r\n\r\n', hasBody: true }
const PIECE = Buffer.alloc(128 * 1024, 'x')

async function stage(t: Test, script: Script, upstreamResponseTimeout?: number) {
  const sockets: Socket[] = []
  const upstream = await rawUpstream((socket, received) => {
    sockets.push(socket)
    script(socket, received)
  })
  const address = { protocol: 'http:', hostname: '127.0.0.1', port: upstream.port } as const
  let gone = 0
  const connection = new UpstreamConnection(
    createConnect(address, NO_TLS, 5_000),
    { upstreamResponseTimeout, maxHeaderSize: 16_384 },
    () => gone++,
  )
  t.teardown(async () => {
    connection.destroy()
    await upstream.close()
  })
  return { upstream, connection, sockets, gone: () => gone }
}

/** What is told of one request, in its order. */
function listen(more: Partial<RequestReceiver> = {}) {
  const told: string[] = []
  let over: (() => void) | undefined
  const isOver = new Promise<void>((resolve) => {
    over = resolve
  })
  const receiver: RequestReceiver = {
    onSent: () => void told.push('sent'),
    onDrain: () => undefined,
    onHead: ({ status }) => void told.push(`head ${status}`),
    onData: (data) => void told.push(`data ${data}`),
    onPause: () => void told.push('pause'),
    ...more,
    onEnd(last) {
      told.push(`end ${last}`)
      over?.()
    },
    onFailure(error) {
      told.push(error instanceof Error && 'code' in error ? String(error.code) : String(error))
      over?.()
    },
  }
  return { receiver, told, isOver }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await turn()
  }
}

/** Writes body until the upstream has taken all that it will. */
async function fill(connection: UpstreamConnection): Promise<void> {
  for (let quiet = 0; quiet < 50; ) {
    if (connection.write(PIECE, () => undefined)) quiet = 0
    else {
      quiet++
      await turn()
    }
  }
}

t.test('a request is told of its sending, its answer, and each end of what was read', async (t) => {
  const { connection } = await stage(t, (socket) => {
    socket.once('data', async () => {
      socket.write('HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')
      await wait(20)
      socket.write('ab')
      await wait(20)
      socket.write('cd')
    })
  })
  const { receiver, told, isOver } = listen()
  connection.send(GET, receiver)
  t.equal(connection.writeText('early'), false, 'nothing is written before it is connected')
  t.equal(
    connection.write(PIECE, () => undefined),
    false,
    'nor this',
  )
  connection.cork()
  t.same(told, [])
  await isOver
  t.same(told, ['sent', 'head 103', 'head 200', 'pause', 'data ab', 'pause', 'end cd'])
})

t.test('one request after the other is sent on it, each with its own answer', async (t) => {
  const { connection, upstream } = await stage(t, (socket) => {
    let answers = 0
    socket.on('data', () => socket.write(`HTTP/1.1 20${answers++} OK\r\nContent-Length: 0\r\n\r\n`))
  })
  for (const status of [200, 201]) {
    t.equal(connection.isReused(), status === 201)
    const { receiver, told, isOver } = listen()
    connection.send(GET, receiver)
    await isOver
    t.equal(connection.hasHeard(), true)
    t.equal(connection.idleLimit(), 4_000)
    t.same(told, ['sent', `head ${status}`, 'end '])
  }
  t.equal(upstream.received()[0], GET.text.repeat(2))
})

t.test('what comes between two requests is the answer to neither', async (t) => {
  for (const unasked of [OK, 'H', '\r\n', 'HTTP/1.1 100 Continue\r\n\r\n']) {
    const { connection, sockets, gone } = await stage(t, (socket) => {
      socket.once('data', () => socket.write(OK))
    })
    const first = listen()
    connection.send(GET, first.receiver)
    await first.isOver
    sockets[0]?.write(unasked)
    await until(() => gone() === 1)
    t.equal(connection.idleLimit(), 0, JSON.stringify(unasked))
    const second = listen()
    connection.send(GET, second.receiver)
    t.same(second.told, ['UPSTREAM_CLOSED'])
    t.notMatch(first.told.join(), 'UPSTREAM')
  }
})

t.test('an answer with another one behind it is the last of its connection', async (t) => {
  const { connection } = await stage(t, (socket) => {
    socket.once('data', () => socket.write(OK + OK))
  })
  const { receiver, told, isOver } = listen()
  connection.send(GET, receiver)
  await isOver
  t.same(told, ['sent', 'head 200', 'end ok'])
  t.equal(connection.idleLimit(), 0)
})

t.test('an idle connection that ends says so once; its next request fails', async (t) => {
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const { connection, sockets, gone } = await stage(t, (socket) => {
      socket.once('data', () => socket.write(OK))
    })
    const first = listen()
    connection.send(GET, first.receiver)
    await first.isOver
    sockets[0]?.[end]()
    await until(() => gone() > 0)
    for (let i = 0; i < 20; i++) await turn()
    t.equal(gone(), 1, end)
    t.equal(connection.idleLimit(), 0, end)
  }
})

t.test('an answer may end with its connection', async (t) => {
  const { connection } = await stage(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nab'))
  })
  const { receiver, told, isOver } = listen()
  connection.send(GET, receiver)
  await isOver
  t.same(told, ['sent', 'head 200', 'data ab', 'pause', 'end '])
  t.equal(connection.idleLimit(), 0)
})

t.test('who destroys a connection is told nothing more, at whatever stage it is', async (t) => {
  for (const stageOf of ['dialling', 'sent', 'answered'] as const) {
    const { connection, gone } = await stage(t, (socket) => {
      socket.once('data', () => {
        if (stageOf === 'answered') socket.write(OK)
      })
    })
    const { receiver, told, isOver } = listen()
    connection.send(GET, receiver)
    if (stageOf === 'sent') await until(() => told.length === 1)
    if (stageOf === 'answered') await isOver
    const before = [...told]
    connection.destroy()
    for (let i = 0; i < 50; i++) await turn()
    t.same(told, before, stageOf)
    t.equal(gone(), 0, stageOf)
  }
})

t.test('a connection that ends under a request fails that, and says nothing else', async (t) => {
  const { connection, gone } = await stage(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 2'))
  })
  const { receiver, told, isOver } = listen()
  connection.send(GET, receiver)
  await isOver
  t.same(told, ['sent', 'pause', 'UPSTREAM_CLOSED'])
  t.equal(connection.hasHeard(), true)
  for (let i = 0; i < 20; i++) await turn()
  t.equal(gone(), 0)
})

t.test('a connection that dies unheard says that nothing was heard', async (t) => {
  const { connection } = await stage(t, (socket) => {
    socket.once('data', () => {
      socket.write(OK)
      socket.once('data', () => socket.destroy())
    })
  })
  const first = listen()
  connection.send(GET, first.receiver)
  await first.isOver
  const second = listen()
  connection.send(GET, second.receiver)
  await second.isOver
  t.match(second.told.at(-1), /^(UPSTREAM_CLOSED|ECONNRESET)$/)
  t.equal(connection.hasHeard(), false)
})

t.test(
  'what its receiver throws ends the connection, and is what the request fails with',
  async (t) => {
    const { connection, sockets } = await stage(t, (socket) => {
      socket.once('data', () => socket.write(OK))
    })
    const { receiver, told, isOver } = listen({
      onHead: () => {
        throw Object.assign(new Error('a'), { code: 'THROWN' })
      },
    })
    connection.send(GET, receiver)
    await isOver
    t.same(told, ['sent', 'THROWN'])
    await once(sockets[0] as Socket, 'close')
  },
)

t.test('a paused connection is not read', async (t) => {
  const { connection, sockets } = await stage(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'))
  })
  const { receiver, told, isOver } = listen()
  connection.send(GET, receiver)
  await until(() => told.includes('pause'))
  connection.pause()
  sockets[0]?.write('ok')
  for (let i = 0; i < 200; i++) await turn()
  t.same(told, ['sent', 'head 200', 'pause'])
  connection.resume()
  await isOver
  t.equal(told.at(-1), 'end ok')
})

t.test('the head and what has come of the body go out as one', async (t) => {
  const reads: string[] = []
  const { connection } = await stage(t, (socket) => {
    socket.on('data', (bytes) => reads.push(bytes.toString('latin1')))
  })
  const { receiver } = listen({ onSent: () => void connection.writeText('hello\xe9') })
  connection.send(POST, receiver)
  await until(() => reads.length > 0)
  t.same(reads, [`${POST.text}hello\xe9`])
})

t.test('who is still being sent a body has nothing to answer yet', async (t) => {
  const { connection } = await stage(t, () => undefined, 100)
  const { receiver, told, isOver } = listen()
  connection.send(POST, receiver)
  await wait(350)
  t.same(told, ['sent'], 'whatever its client waits for')
  connection.writeText('end')
  const ended = performance.now()
  connection.endBody()
  await wait(70)
  t.same(told, ['sent'], 'its time begins with the end of the body')
  await isOver
  t.same(told, ['sent', 'UPSTREAM_SILENT'])
  t.ok(performance.now() - ended > 90, `${performance.now() - ended} ms`)
})

t.test('who reads slower than the body comes is not silent', async (t) => {
  const limit = 300
  const { connection } = await stage(
    t,
    (socket) => {
      socket.on('data', () => {
        socket.pause()
        setTimeout(() => socket.resume(), 1)
      })
    },
    limit,
  )
  let isOver = false
  const more = () => {
    while (!isOver && connection.write(PIECE, () => undefined));
  }
  let drains = 0
  const onDrain = () => {
    drains++
    more()
  }
  const { receiver, told } = listen({ onDrain })
  connection.send(POST, receiver)
  await until(() => told.length === 1)
  more()
  await wait(3 * limit)
  isOver = true
  t.ok(drains > 1, `${drains} times`)
  t.same(told, ['sent'])
})

t.test('who stops reading a body is silent', async (t) => {
  const { connection } = await stage(t, (socket) => void socket.pause(), 200)
  const { receiver, told, isOver } = listen()
  connection.send(POST, receiver)
  await until(() => told.length === 1)
  await fill(connection)
  await isOver
  t.same(told, ['sent', 'UPSTREAM_SILENT'])
})

t.test('whose head is final may take any time for the rest, and between requests', async (t) => {
  const { connection, gone } = await stage(
    t,
    (socket) => {
      socket.on('data', async () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n')
        await wait(250)
        socket.write('ok')
      })
    },
    100,
  )
  for (let round = 0; round < 2; round++) {
    const { receiver, told, isOver } = listen()
    connection.send(GET, receiver)
    await isOver
    t.same(told, ['sent', 'head 200', 'pause', 'end ok'])
    await wait(150)
  }
  t.equal(gone(), 0)
})

t.test('an interim answer is none: the final one must still come in time', async (t) => {
  const { connection } = await stage(
    t,
    (socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Hint\r\n\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    },
    150,
  )
  const { receiver, told, isOver } = listen()
  connection.send(GET, receiver)
  await isOver
  t.equal(told.at(-1), 'UPSTREAM_SILENT')
  t.match(told, ['sent', 'head 103'])
})
