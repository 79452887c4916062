import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { connectionOf, linger } from '../../src/proxy/connection.ts'
import { writeRaw } from '../../src/proxy/own-answer.ts'

const ANSWER = { status: 400, headers: ['X-A', 'b'], body: 'no' }

/** A socket that keeps what is written to it; `bytesRead` is what the test says. */
function socketOf(t: Test) {
  const written: Buffer[] = []
  const stream = new Duplex({
    read: () => undefined,
    write(chunk, _encoding, done) {
      written.push(chunk)
      done()
    },
  })
  t.teardown(() => stream.destroy())
  const socket = Object.assign(stream, { bytesRead: 0 })
  return {
    stream: socket,
    socket: socket as unknown as Socket,
    text: () => Buffer.concat(written).toString('latin1'),
  }
}

/** A connection whose tasks are ended by the test. */
function busyConnection(t: Test) {
  const rig = socketOf(t)
  const connection = connectionOf(rig.socket)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const enqueue = (...numbers: number[]) => {
    for (const number of numbers)
      connection.enqueue((next) => {
        begun.push(number)
        ends.push(next)
      })
  }
  return { ...rig, connection, begun, enqueue, endLast: () => ends.at(-1)?.() }
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

t.test('a socket has one connection', async (t) => {
  const { socket } = socketOf(t)
  t.equal(connectionOf(socket), connectionOf(socket))
  t.not(connectionOf(socketOf(t).socket), connectionOf(socket))
})

t.test('a fault of a socket harms nobody once its connection is known', async (t) => {
  const { socket } = socketOf(t)
  connectionOf(socket)
  t.doesNotThrow(() => socket.emit('error', new Error('reset')))
})

t.test('tasks run one after the other, in their order', async (t) => {
  const { begun, enqueue, endLast } = busyConnection(t)
  enqueue(1, 2, 3)
  t.same(begun, [1])
  endLast()
  t.same(begun, [1, 2])
  endLast()
  endLast()
  t.same(begun, [1, 2, 3])
  enqueue(4)
  t.same(begun, [1, 2, 3, 4], 'at once when none is under way')
})

t.test('a task that says twice that it is done lets only one begin', async (t) => {
  const { socket } = socketOf(t)
  const connection = connectionOf(socket)
  const begun: number[] = []
  connection.enqueue((next) => {
    setImmediate(() => {
      next()
      next()
    })
  })
  for (const number of [1, 2]) connection.enqueue(() => begun.push(number))
  await new Promise((resolve) => setImmediate(resolve))
  t.same(begun, [1])
})

t.test('with 16 tasks waiting no more is read, until fewer than 8 wait', async (t) => {
  const { stream, enqueue, endLast } = busyConnection(t)
  stream.resume()
  enqueue(...range(16))
  t.equal(stream.isPaused(), false, '15 wait')
  enqueue(16)
  t.equal(stream.isPaused(), true, '16 wait')
  for (const _ of range(8)) endLast()
  t.equal(stream.isPaused(), true, '8 wait')
  endLast()
  t.equal(stream.isPaused(), false, '7 wait')
})

t.test('what waits on a connection that is gone is never run', async (t) => {
  const { stream, begun, enqueue, endLast } = busyConnection(t)
  enqueue(1, 2)
  stream.destroy()
  endLast()
  t.same(begun, [1])
})

t.test('behind the last answer nothing is run or read', async (t) => {
  const { stream, connection, begun, enqueue, endLast } = busyConnection(t)
  stream.resume()
  enqueue(1, 2)
  connection.finish()
  t.equal(connection.isBusy(), true)
  endLast()
  enqueue(3)
  t.same(begun, [1])
  t.equal(stream.isPaused(), true)
  t.equal(connection.isBusy(), true, 'no tunnel may begin there either')
  t.equal(connection.isResting(), false)
  connection.readOn()
  t.equal(stream.isPaused(), false)
})

t.test('a connection tells whether it is busy, has some waiting, or rests', async (t) => {
  const { stream, connection, enqueue, endLast } = busyConnection(t)
  const states = () => [connection.isBusy(), connection.hasWaiting(), connection.isResting()]
  t.same(states(), [false, false, true], 'at its birth')
  const other = busyConnection(t)
  other.enqueue(1)
  t.equal(other.connection.isResting(), false, 'refused at its birth')
  stream.bytesRead = 10
  t.same(states(), [false, false, false], 'inside a head')
  enqueue(1)
  t.same(states(), [true, false, false], 'a request is under way')
  stream.bytesRead = 20
  enqueue(2)
  t.same(states(), [true, true, false])
  endLast()
  t.same(states(), [true, false, false])
  endLast()
  t.same(states(), [false, false, true], 'all is answered')
  stream.bytesRead = 30
  t.same(states(), [false, false, false], 'the next head has begun')
})

t.test('a sealed connection answers what waits, and takes nothing new for its own', async (t) => {
  const { connection, begun, enqueue, endLast } = busyConnection(t)
  enqueue(1, 2)
  connection.seal()
  t.equal(connection.isSealed(), true)
  endLast()
  t.same(begun, [1, 2])
  enqueue(3)
  endLast()
  t.same(begun, [1, 2])
  t.equal(connection.isBusy(), true)
  t.equal(connection.isResting(), false)
})

t.test('an answer of ours is whole, says that it is the last, and is', async (t) => {
  const { stream, connection, text, begun, enqueue } = busyConnection(t)
  writeRaw(stream as unknown as Socket, ANSWER)
  t.match(
    text(),
    /^HTTP\/1\.1 400 Bad Request\r\nX-A: b\r\nContent-Length: 2\r\nDate: [^\r]* GMT\r\nConnection: close\r\n\r\nno$/,
  )
  t.equal(stream.writableEnded, true)
  enqueue(1)
  t.same(begun, [])
  t.equal(connection.isBusy(), true)
})

t.test('an answer of ours beyond ASCII has the length of its UTF-8', async (t) => {
  const { socket, text } = socketOf(t)
  writeRaw(socket, { ...ANSWER, body: 'n\u00f6 \u2713' })
  t.match(text(), /\r\nContent-Length: 7\r\n[\s\S]*\r\n\r\nn\xc3\xb6 \xe2\x9c\x93$/)
})

t.test('no answer is written where none can be', async (t) => {
  const { stream, socket, text } = socketOf(t)
  stream.end()
  writeRaw(socket, ANSWER)
  t.equal(text(), '')
  t.equal(stream.destroyed, true)
})

t.test('after its last answer a client is read for a second, and not by the parser', async (t) => {
  const { stream, socket } = socketOf(t)
  const parsed: Buffer[] = []
  stream.on('data', (chunk) => parsed.push(chunk))
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  linger(socket)
  stream.push('GET /smuggled HTTP/1.1\r\n\r\n')
  await new Promise((resolve) => setImmediate(resolve))
  t.same(parsed, [])
  t.equal(stream.readableLength, 0, 'it was read')
  mock.timers.tick(999)
  t.equal(stream.destroyed, false)
  mock.timers.tick(1)
  t.equal(stream.destroyed, true)
})

t.test('after its last answer a client is read for 1 MiB and no more', async (t) => {
  const { stream, socket } = socketOf(t)
  linger(socket)
  stream.push(Buffer.alloc(1024 * 1024))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(stream.isPaused(), false)
  stream.push('x')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(stream.isPaused(), true)
})

t.test('a client that ends after its last answer is let go at once', async (t) => {
  const { stream, socket } = socketOf(t)
  linger(socket)
  stream.push(null)
  await once(stream, 'close')
  t.equal(stream.destroyed, true)
})

t.test('a client that was not read any more is read after its last answer', async (t) => {
  const { stream, socket, connection, enqueue } = busyConnection(t)
  stream.resume()
  enqueue(...range(17))
  t.equal(stream.isPaused(), true)
  connection.finish()
  linger(socket)
  t.equal(stream.isPaused(), false)
})
