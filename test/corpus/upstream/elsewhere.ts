import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'

/** An upstream that cannot be reached until it is healed. */
export interface Elsewhere {
  readonly port: number
  /** Resolves with how many requests it has seen, once it answers. */
  heal(): Promise<number>
}

/** Asks for the number of requests seen before; on a connection of its own, which is closed. */
async function requestsSeen(port: number): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', reject)
  })
  return Number(await response.toArray()) - 1
}

/** Nothing listens on the port. */
export async function closedPort(t: Test): Promise<Elsewhere> {
  let requests = 0
  const server = createServer((_request, response) => response.end(String(++requests)))
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  const port = await listen(0)
  await close()
  return {
    port,
    async heal() {
      await listen(port)
      t.teardown(close)
      return requestsSeen(port)
    },
  }
}

const SERVER = `
  let requests = 0
  require('node:http')
    .createServer((_request, response) => response.end(String(++requests)))
    .listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port) })
`

/** A process that is stopped while its queue of connections is full: the kernel answers no SYN any more. */
export async function stoppedListener(t: Test): Promise<Elsewhere> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const port = Number(String(line))
  child.kill('SIGSTOP')
  const fillers: Socket[] = []
  t.teardown(() => {
    for (const socket of fillers) socket.destroy()
  })
  for (let isFull = false; !isFull; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    fillers.push(socket)
    isFull = await Promise.race([once(socket, 'connect').then(() => false), wait(200, true)])
  }
  return {
    port,
    async heal() {
      child.kill('SIGCONT')
      for (const socket of fillers) socket.destroy()
      return requestsSeen(port)
    },
  }
}
