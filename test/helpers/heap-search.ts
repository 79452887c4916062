/** Loaded before the program by a test: at each SIGUSR2 one line with how many assertions and marked texts are in memory. */
import { text } from 'node:stream/consumers'
import { getHeapSnapshot } from 'node:v8'

const ASSERTION = /"eyJ[\w-]+\.[\w-]+\./g
/** In a header field of the client. */
const MARK = /marked-text-\d/g

const count = (snapshot: string, wanted: RegExp) => snapshot.match(wanted)?.length ?? 0

// Taking the snapshot collects what is dead.
process.on('SIGUSR2', async () => {
  const snapshot = await text(getHeapSnapshot())
  process.stderr.write(`in memory: ${count(snapshot, ASSERTION)} ${count(snapshot, MARK)}\n`)
})
