import type { Socket } from 'node:net'

const BEGINNINGS = ['HTTP/1.1 100 ', 'HTTP/1.1 100\r']
const NOTHING = Buffer.alloc(0)
const HEAD_END = Buffer.from('\r\n\r\n')
/** Bytes of one head that are held; a longer one is left to the parser, which refuses it. */
const HELD_BYTES = 16 * 1024

/** A connection to the upstream whose `100 Continue` heads are taken out of what is read from it. */
export interface PassedOver {
  /** A request is being sent: the next byte begins its answer. What comes before belongs to nobody and is left as it is. */
  expectAnswer(): void
  /** Whether anything was read since then, be it a part of a head that was never whole. */
  hasHeard(): boolean
}

/**
 * undici takes a 100 for a broken answer, while any client must be able to pass over one it did not ask for
 * (RFC 9110 §15.2). claimgate never asks: it answers `Expect` itself. So the heads are cut out before undici reads.
 */
export function passOverContinue(socket: Socket): PassedOver {
  const read = socket.read.bind(socket)
  let atBeginning = false
  let held: Buffer = NOTHING
  let heard = false

  /** Cuts whole heads off; `undefined` while it cannot be told yet what the bytes are. */
  const cut = (bytes: Buffer): Buffer | undefined => {
    let rest = bytes
    while (startsLikeContinue(rest)) {
      const end = rest.indexOf(HEAD_END)
      if (end === -1) return rest.length > HELD_BYTES ? rest : undefined
      rest = rest.subarray(end + HEAD_END.length)
      held = rest
    }
    return rest
  }
  socket.read = (size?: number) => {
    const chunk = read(size)
    if (chunk !== null) heard = true
    if (!atBeginning || chunk === null) return chunk
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const answer = cut(held)
    if (answer === undefined || answer.length === 0) return null
    atBeginning = false
    held = NOTHING
    return answer
  }
  return {
    expectAnswer() {
      atBeginning = true
      heard = false
    },
    hasHeard: () => heard,
  }
}

/** Whether the bytes are a 100, or can still become one. */
function startsLikeContinue(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 'HTTP/1.1 100 '.length)
  return start !== '' && BEGINNINGS.some((beginning) => beginning.startsWith(start))
}
