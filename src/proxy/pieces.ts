import type { Bytes } from '../config/config.ts'

/** Bytes that were copied to wait for somebody who takes them. */
export interface Piece {
  readonly bytes: Buffer
  /** Takes the memory into use again: to be called once the bytes were taken in, and not before. An error keeps it out of use. */
  readonly giveBack: ((error?: Error | null) => void) | undefined
}

/** As much as is read of the app at once. */
export const PIECE_SIZE: Bytes = 64 * 1024
/** Smaller ones are made anew: what waits for a slow client must not hold much more memory than it has bytes. */
export const LEAST_SIZE: Bytes = 32 * 1024
/** Of those that are free: beyond them memory goes back to the system. */
export const MAX_FREE = 32

/**
 * Copies large pieces into memory that was used before. Each new one would count as memory outside of V8's heap, which begins a
 * full collection after every 64 MiB of it: half of the processor time of a large answer.
 */
export function createPieces(): (data: Uint8Array) => Piece {
  const free: Buffer[] = []
  return (data) => {
    if (data.length < LEAST_SIZE || data.length > PIECE_SIZE)
      return { bytes: Buffer.from(data), giveBack: undefined }
    const memory = free.pop() ?? Buffer.allocUnsafeSlow(PIECE_SIZE)
    memory.set(data)
    let isLent = true
    return {
      bytes: memory.subarray(0, data.length),
      giveBack(error) {
        // Given back twice, two would write to it at once, and one client would read the answer of another.
        if (isLent && !error && free.length < MAX_FREE) free.push(memory)
        isLent = false
      },
    }
  }
}
