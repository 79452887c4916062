/** What is known of an answer when its last byte has come. */
export interface Answer {
  readonly status: number
  /** The server will close the connection after it. */
  readonly isLast: boolean
}

/** Takes the bytes of one connection in turn; says so when an answer is complete. */
export type TakeBytes = (chunk: Buffer) => Answer | undefined

const END_OF_HEAD = '\r\n\r\n'
const LENGTH = /\r\ncontent-length: *(\d+)/i
const CLOSE = /\r\nconnection: *close/i
const MAX_HEAD = 64 * 1024

/**
 * Reads answers that come one at a time. No more is understood than a `Content-Length`: everything that is measured
 * sends one, and what does not would be measured in its framing, too.
 *
 * @throws Error on an answer without a length, on bytes beyond it, and on a head of more than 64 KiB.
 */
export function createAnswerReader(): TakeBytes {
  let head: Buffer | undefined
  let answer: Answer | undefined
  let left = 0
  return (chunk) => {
    let body = chunk.length
    if (answer === undefined) {
      const bytes = head === undefined ? chunk : Buffer.concat([head, chunk])
      const end = bytes.indexOf(END_OF_HEAD)
      if (end < 0) {
        if (bytes.length > MAX_HEAD) throw new Error('a head of more than 64 KiB')
        head = bytes
        return undefined
      }
      head = undefined
      const text = bytes.toString('latin1', 0, end)
      const length = LENGTH.exec(text)?.[1]
      if (length === undefined) throw new Error(`an answer without Content-Length:\n${text}`)
      answer = { status: Number(text.slice(9, 12)), isLast: CLOSE.test(text) }
      left = Number(length)
      body = bytes.length - end - END_OF_HEAD.length
    }
    left -= body
    if (left < 0) throw new Error('bytes beyond the end of an answer')
    if (left > 0) return undefined
    const complete = answer
    answer = undefined
    return complete
  }
}
