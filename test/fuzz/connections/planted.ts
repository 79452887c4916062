// Faults for the tests of the fuzzers: a fuzzer that finds none of them proves nothing.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Gate, type OpenGate, openInProcess } from './gates.ts'

/** claimgate with a relay behind it that changes the heads, or what begins like `which`, on its way to the upstream. */
export const rewriting =
  (rewrite: (text: string) => string, which = /^[A-Z]+ \//): OpenGate =>
  async (options) => {
    const sockets = new Set<Socket>()
    const relay = createServer((client) => {
      const upstream = connect(options.upstreamPort, '127.0.0.1')
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => sockets.delete(socket))
      }
      client.on('data', (chunk) => {
        const text = chunk.toString('latin1')
        upstream.write(which.test(text) ? rewrite(text) : text, 'latin1')
      })
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
      upstream.pipe(client)
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    const { port } = relay.address() as AddressInfo
    const gate = await openInProcess({ ...options, upstreamPort: port })
    const close = async () => {
      await gate.close()
      for (const socket of sockets) socket.destroy()
      relay.close()
    }
    return { ...gate, close }
  }

/** claimgate, but what it tells of itself is changed. */
export const changing =
  (change: (gate: Gate) => Partial<Gate>): OpenGate =>
  async (options) => {
    const gate = await openInProcess(options)
    return { ...gate, ...change(gate) }
  }
