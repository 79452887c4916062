import type { Config, Milliseconds } from './config/config.ts'
import { needsRestart } from './config/restart.ts'
import { ConfigError } from './errors.ts'
import type { OwnedGeneration } from './generation.ts'
import type { Log } from './log.ts'
import { describeFault } from './proxy/recorder.ts'
import type { Succession } from './succession.ts'

export interface ReloadRequest {
  /** Reads the settings anew; throws ConfigError. */
  read(): Config
  /** Called when they are in use. */
  inUse(): void
}

export interface ReloadStatus {
  /** Of the last reload; `undefined`: there was none. */
  readonly last: 'ok' | 'error' | undefined
  /** Since when the settings in use are in use, since the epoch. */
  readonly since: Milliseconds
}

export interface ReloaderDeps {
  readonly succession: Succession
  /** Builds the next generation and tries all that could fail; throws ConfigError. */
  readonly build: (config: Config) => OwnedGeneration
  /** Gives the settings to what lives longer than a generation. Must not fail. */
  readonly adapt: (config: Config) => void
  readonly onResult: (result: 'ok' | 'error') => void
  readonly log: Log
  /** Wall clock. */
  readonly now: () => Milliseconds
}

export interface Reloader {
  reload(request: ReloadRequest): void
  status(): ReloadStatus
}

/** Takes new settings into use as a whole, or none of them: what cannot be used leaves everything as it is. */
export function createReloader(deps: ReloaderDeps): Reloader {
  const { succession, build, adapt, onResult, log, now } = deps
  let status: ReloadStatus = { last: undefined, since: now() }

  const settle = (result: 'ok' | 'error') => {
    status = { last: result, since: result === 'ok' ? now() : status.since }
    onResult(result)
  }
  const refuse = (error: unknown) => {
    settle('error')
    if (!(error instanceof ConfigError)) log.error(describeFault(error), 'reload failed')
    else
      for (const { source, message } of error.problems)
        log.error({ source, problem: message }, 'settings not reloaded, the last good ones stay')
  }
  return {
    reload({ read, inUse }) {
      try {
        const config = read()
        const blocked = needsRestart(succession.current().config, config)
        for (const setting of blocked) log.warn({ setting }, 'setting needs a restart to change')
        if (blocked.length > 0) return settle('error')
        succession.take(build(config), () => {
          adapt(config)
          settle('ok')
          inUse()
        })
        if (succession.isWaiting()) log.info('new settings wait for their key set')
      } catch (error) {
        refuse(error)
      }
    },
    status: () => status,
  }
}
