/** Loaded before the program by a test: at each SIGUSR2 one line with the bytes of old objects before and after a full collection. */
import { collectAll, oldBytes } from './heap.ts'

process.on('SIGUSR2', () => {
  const before = oldBytes()
  collectAll()
  process.stderr.write(`old bytes: ${before} ${oldBytes()}\n`)
})
