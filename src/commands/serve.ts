import { constants } from 'node:os'
import type { Logger } from 'pino'
import type { Milliseconds } from '../config/config.ts'
import { readConfig, type Sources } from '../config/read.ts'
import { createLog } from '../log.ts'
import { describeFault } from '../proxy/recorder.ts'
import { type Claimgate, createClaimgate } from '../server.ts'

/** A running sidecar and the log it writes. */
export interface Serving {
  readonly claimgate: Claimgate
  readonly log: Logger
}

/**
 * Starts the sidecar from the settings.
 *
 * @throws ConfigError when the settings cannot be used; no listener was opened then.
 */
export async function serve(sources: Sources): Promise<Serving> {
  const { config, values, warnings } = readConfig(sources)
  const log = createLog(config)
  log.info(
    { settings: Object.fromEntries(values.map(({ name, value }) => [name, value])) },
    'settings',
  )
  for (const warning of warnings) log.warn({ warning }, 'settings warning')
  const claimgate = await createClaimgate(config, { log })
  const { data, admin } = await claimgate.start()
  log.info({ listen: data.authority, admin_listen: admin?.authority }, 'listening')
  return { claimgate, log }
}

/** How long the last log lines may take to be written. */
const FLUSH_TIME: Milliseconds = 1_000

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Ends `serving` in order on the first signal, and at once on the second, with 128 and the signal's number. A fault that
 * nobody caught ends it in order, too, with 1; further ones on the way are only logged.
 */
export function superviseProcess({ claimgate, log }: Serving, host: NodeJS.Process): void {
  let exitCode: number | undefined
  let isSignalled = false
  const end = (code: number) => {
    if (exitCode !== undefined) return
    exitCode = code
    claimgate
      .drain()
      .catch((error: unknown) => log.error(describeFault(error), 'drain failed'))
      .finally(() => {
        // The consumer of the log may be gone, and then nobody calls back.
        setTimeout(() => host.exit(code), FLUSH_TIME)
        log.flush(() => host.exit(code))
      })
  }
  for (const signal of SIGNALS) {
    host.on(signal, () => {
      if (isSignalled) host.exit(128 + constants.signals[signal])
      isSignalled = true
      log.info({ signal }, 'draining')
      end(0)
    })
  }
  const fault = (error: unknown) => {
    log.fatal(describeFault(error), 'uncaught fault')
    end(1)
  }
  host.on('uncaughtException', fault)
  host.on('unhandledRejection', fault)
}
