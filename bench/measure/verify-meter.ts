import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pinned } from '../pin.ts'
import type { Stage } from '../stage.ts'
import type { VerifyCost } from './verify-process.ts'

/** Measures signature checks now and then, so that what slows them has slowed the peers beside them, too. */
export interface VerifyMeter {
  /** The means of about so many of either. */
  measure(count: number): Promise<VerifyCost>
  end(): void
}

export function startVerifyMeter(stage: Stage): VerifyMeter {
  const { tokens = '' } = stage.requests('good')
  const script = new URL('./verify-process.ts', import.meta.url).pathname
  const [program, ...args] = pinned(stage.cores.proxy, [
    process.execPath,
    script,
    tokens,
    stage.keySetFile,
  ])
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return {
    async measure(count) {
      const answered = once(child, 'message', { signal: AbortSignal.timeout(60_000) })
      child.send(count)
      const [cost] = (await answered) as [VerifyCost]
      return cost
    },
    end: () => child.disconnect(),
  }
}
