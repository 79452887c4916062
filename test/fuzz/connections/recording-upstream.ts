import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type ReadRequest, readCarelessly, readRequests } from './reading.ts'

/** A request that reached the upstream, whole or cut off. */
export type Arrival = ReadRequest

export interface RecordingUpstream {
  readonly port: number
  /** How many bytes came so far: tells whether something is still coming. */
  readonly bytes: () => number
  /** All requests since the last call, in no order, and what was wrong with their bytes. */
  take(): { readonly arrivals: readonly Arrival[]; readonly faults: readonly string[] }
  close(): Promise<void>
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const OK_WITHOUT_BODY = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'

/** An upstream that reads strictly, answers at once, and looks whether a careless reader would see the same requests. */
export async function recordingUpstream(): Promise<RecordingUpstream> {
  const open = new Map<Socket, Stream>()
  let arrivals: Arrival[] = []
  let faults: string[] = []
  let bytes = 0

  const look = (stream: Stream) => {
    const { requests, fault } = stream.read()
    arrivals.push(...requests)
    if (fault !== undefined) faults.push(fault)
  }
  const server = createServer((socket) => {
    const stream = createStream((method) => socket.write(method === 'HEAD' ? OK_WITHOUT_BODY : OK))
    open.set(socket, stream)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      bytes += chunk.length
      stream.push(chunk.toString('latin1'))
    })
    socket.on('close', () => {
      open.delete(socket)
      look(stream)
      arrivals.push(...stream.rest())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    take() {
      for (const stream of open.values()) look(stream)
      const taken = { arrivals, faults }
      arrivals = []
      faults = []
      return taken
    },
    async close() {
      for (const socket of open.keys()) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Stream {
  push(text: string): void
  /** The requests that are whole since the last call. */
  read(): { readonly requests: readonly Arrival[]; readonly fault: string | undefined }
  /** At the end of the connection: what was not whole. */
  rest(): readonly Arrival[]
}

function createStream(answer: (method: string) => void): Stream {
  let text = ''
  let answered = 0
  let isBroken = false
  return {
    push(more) {
      if (isBroken) return
      text += more
      const whole = readRequests(text).requests.filter(({ isWhole }) => isWhole)
      for (const { method } of whole.slice(answered)) answer(method)
      answered = whole.length
    },
    read() {
      const { requests, end, fault } = readRequests(text)
      const whole = requests.filter(({ isWhole }) => isWhole)
      const bytes = text.slice(0, end)
      text = text.slice(end)
      answered = 0
      isBroken ||= fault !== undefined
      const strictly = whole.map(({ method, target }) => `${method} ${target} HTTP/1.1`)
      const carelessly = readCarelessly(bytes)
      const isSame = strictly.join('\n') === carelessly.join('\n')
      const what = fault ?? (isSame ? undefined : `two readings: ${JSON.stringify(carelessly)}`)
      const at = fault === undefined ? bytes : text
      return { requests: whole, fault: what && `${what} in ${JSON.stringify(at)}` }
    },
    rest: () => readRequests(text).requests.filter(({ isWhole }) => !isWhole),
  }
}
