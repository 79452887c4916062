import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { waitTurns } from '../connections/client.ts'
import type { Behaviour } from './scenario.ts'

/** One connection as the upstream saw it; Latin-1. */
export interface Seen {
  readonly head: string
  /** What came behind the head before the upstream had answered, and after. */
  before: string
  after: string
  /** What was sent behind a 101 that opens a tunnel; `undefined` where none was sent. */
  sent: string | undefined
}

export interface ScriptedUpstream {
  readonly port: number
  readonly open: () => number
  /** Connections since the last call, by the id in their target; ids are used once, so two under one are a fault. */
  take(): Map<string, Seen[]>
  close(): Promise<void>
}

const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const MORE = '<from the upstream>'
const SAYING_MORE = new Set<Behaviour>([
  'switch-with-more',
  'switch-after-info',
  'switch-in-pieces',
])

/** How much the upstream says by itself in a tunnel that stays open. */
export const lengthOfMore = (behaviour: Behaviour): number =>
  SAYING_MORE.has(behaviour) ? MORE.length : 0

/** An upstream that does what the target says: `/ws/<behaviour>/<turns before it>/<id>`. */
export async function scriptedUpstream(): Promise<ScriptedUpstream> {
  const sockets = new Set<Socket>()
  let seen = new Map<string, Seen[]>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let text = ''
    let own: Seen | undefined
    let isAnswered = false
    socket.on('data', (chunk) => {
      const more = chunk.toString('latin1')
      if (own !== undefined) return void receive(socket, own, isAnswered, more)
      text += more
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      const created: Seen = {
        head: text.slice(0, end),
        before: text.slice(end + 4),
        after: '',
        sent: undefined,
      }
      own = created
      const [, behaviour = 'end', turns = '0', id = ''] =
        /^\w+ \/ws\/([\w-]+)\/(\d+)\/(\w+)/.exec(text) ?? []
      seen.set(id, [...(seen.get(id) ?? []), created])
      void waitTurns(Number(turns)).then(() => {
        isAnswered = true
        perform(socket, created, behaviour as Behaviour)
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    take() {
      const taken = seen
      seen = new Map()
      return taken
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function receive(socket: Socket, seen: Seen, isAnswered: boolean, more: string): void {
  if (!isAnswered) {
    seen.before += more
    return
  }
  seen.after += more
  if (seen.sent === undefined || !socket.writable) return
  seen.sent += more
  socket.write(more, 'latin1')
}

function perform(socket: Socket, seen: Seen, behaviour: Behaviour): void {
  if (socket.destroyed) return
  const write = (text: string) => socket.write(text, 'latin1')
  const open = (more: string) => {
    seen.sent = more
    write(SWITCH + more)
  }
  const steps: Readonly<Record<Behaviour, () => void>> = {
    switch: () => open(''),
    'switch-with-more': () => open(MORE),
    'switch-after-info': () => {
      write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
      open(MORE)
    },
    'switch-in-pieces': async () => {
      write(SWITCH.slice(0, 20))
      await turn()
      if (socket.writable) open(MORE)
    },
    'switch-and-end': () => {
      open(MORE)
      socket.end()
    },
    'switch-and-reset': () => {
      open(MORE)
      void waitTurns(3).then(() => socket.resetAndDestroy())
    },
    'switch-to-other': () => write(SWITCH.replace('websocket', 'h2c') + MORE),
    refuse: () =>
      write('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno'),
    'refuse-in-chunks': () =>
      write(
        'HTTP/1.1 401 No\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
      ),
    'accept-as-plain': () =>
      write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
    garbage: () => write('\x16\x03\x01\0garbage\r\n\r\n'),
    'half-head': () => {
      write(SWITCH.slice(0, 40))
      socket.end()
    },
    nothing: () => undefined,
    end: () => socket.end(),
    reset: () => socket.resetAndDestroy(),
  }
  steps[behaviour]()
}
