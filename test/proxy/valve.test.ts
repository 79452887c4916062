import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { createValve } from '../../src/proxy/valve.ts'

function valveOf() {
  const socket = new PassThrough()
  return { socket, valve: createValve(socket as unknown as Socket) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('behind a closed valve nobody makes a socket flow', async (t) => {
  const { socket, valve } = valveOf()
  const seen: string[] = []
  socket.on('data', (chunk) => seen.push(String(chunk)))
  valve.close()
  socket.resume()
  socket.write('x')
  await turn()
  t.equal(socket.isPaused(), true)
  t.same(seen, [])
  valve.open()
  await turn()
  t.same(seen, ['x'])
})

t.test('a resume that was under way when the valve closed is taken back', async (t) => {
  const { socket, valve } = valveOf()
  let pauses = 0
  socket.on('pause', () => pauses++)
  socket.pause()
  socket.resume()
  valve.close()
  pauses = 0
  await turn()
  t.equal(pauses, 1, 'whoever reads below is told again')
})

t.test('opening a valve that is open leaves a pause of others alone', async (t) => {
  const { socket, valve } = valveOf()
  socket.pause()
  valve.open()
  t.equal(socket.isPaused(), true)
})
