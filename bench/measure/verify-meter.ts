import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pinned } from '../pin.ts'
import type { Stage } from '../stage.ts'

/** Measures bare signature checks now and then, so that what slows them has slowed the peers beside them, too. */
export interface VerifyMeter {
  /** Microseconds of processor time of one check, of so many. */
  measure(count: number): Promise<number>
  end(): void
}

export function startVerifyMeter(stage: Stage): VerifyMeter {
  const { tokens = '' } = stage.requests('good')
  const script = new URL('./bare-verify.ts', import.meta.url).pathname
  const [program, ...args] = pinned(stage.cores.proxy, [
    process.execPath,
    script,
    tokens,
    stage.publicKeyFile,
  ])
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return {
    async measure(count) {
      const answered = once(child, 'message', { signal: AbortSignal.timeout(60_000) })
      child.send(count)
      const [microseconds] = await answered
      return Number(microseconds)
    },
    end: () => child.disconnect(),
  }
}
