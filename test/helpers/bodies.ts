import { setTimeout as wait } from 'node:timers/promises'

/** Every four bytes differ from their neighbours, and all from those of another name. */
export function bodyOf(name: string, size: number): Buffer {
  const body = Buffer.alloc(size)
  for (let i = 0; i < size; i += 4) body.writeUInt32BE(i, i)
  for (let i = 0; i < size; i += 4) body[i] = name.charCodeAt(0)
  return body
}

/** Resolves once nothing of what `counts` gives has changed for a moment. */
export async function untilStuck(counts: () => readonly unknown[]): Promise<void> {
  for (let seen = String(counts()), quiet = 0; quiet < 10; quiet++) {
    await wait(10)
    if (String(counts()) !== seen) quiet = 0
    seen = String(counts())
  }
}
