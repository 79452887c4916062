import { once } from 'node:events'
import { readConfig } from '../config/read.ts'
import { demoGuide } from '../demo/guide.ts'
import { readDemoOptions } from '../demo/options.ts'
import { type Gate, startDemo } from '../demo/run.ts'
import { createLog } from '../log.ts'
import { createClaimgate } from '../server.ts'

export interface DemoInvocation {
  /** What follows `demo` on the command line: `--host` and `--port`. */
  readonly flags: readonly string[]
  /** Takes whole lines for standard output. */
  write(text: string): void
}

/**
 * `claimgate demo`: the whole chain on this machine's loopback, without Pomerium and without settings.
 * Resolves after SIGINT or SIGTERM, once everything is closed again; a second signal ends the process at once.
 * Throws ConfigError for flags that cannot be used.
 */
export const demo = async ({ flags, write }: DemoInvocation): Promise<void> => {
  const options = readDemoOptions(flags)
  const ended = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  const running = await startDemo(options, startGate)
  for (const notice of running.notices) write(`${notice}\n`)
  write(demoGuide(running.origins))
  await ended
  await running.stop()
}

const startGate = async (env: Readonly<Record<string, string>>): Promise<Gate> => {
  const readFile = () => {
    throw new Error('The demo reads no file')
  }
  const { config } = readConfig({ flags: [], env, readFile })
  const claimgate = await createClaimgate(config, { log: createLog(config) })
  try {
    const { data, admin } = await claimgate.start()
    if (admin === undefined) throw new Error('The demo needs the admin port')
    return { data, admin, stop: claimgate.drain }
  } catch (error) {
    await claimgate.drain()
    throw error
  }
}
