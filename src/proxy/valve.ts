import type { Socket } from 'node:net'

/** Stops reading from a socket until it is opened again. */
export interface Valve {
  close(): void
  open(): void
}

/**
 * `socket.pause()` alone does not last on a connection of an HTTP server: Node resumes it after every message that it
 * has parsed.
 */
export function createValve(socket: Socket): Valve {
  const resume = socket.resume.bind(socket)
  let isClosed = false
  socket.resume = () => (isClosed ? socket : resume())
  // One that was under way when the valve closed: Node has just begun to read again, and stops when it hears of a pause.
  socket.on('resume', () => {
    if (isClosed) socket.emit('pause')
  })
  return {
    close() {
      isClosed = true
      socket.pause()
    },
    open() {
      if (!isClosed) return
      isClosed = false
      resume()
    },
  }
}
