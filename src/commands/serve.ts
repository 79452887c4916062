import { readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import type { Config, Milliseconds } from '../config/config.ts'
import type { EffectiveValue } from '../config/effective.ts'
import { readConfig, type Sources } from '../config/read.ts'
import { examineHeaders } from '../doctor/headers.ts'
import { createLog, type ProcessLog } from '../log.ts'
import { describeFault } from '../proxy/recorder.ts'
import { type Claimgate, createClaimgate } from '../server.ts'
import { watchFiles } from '../watch.ts'

/** A running sidecar and the log it writes. */
export interface Serving {
  readonly claimgate: Claimgate
  readonly log: ProcessLog
  /** Reads the settings again and takes them into use; what is wrong with them is in the log. */
  readonly reload: () => void
  /** Ends the watch on the files of settings. */
  readonly close: () => void
}

/**
 * Starts the sidecar from the settings, and reloads them when one of their files changes.
 *
 * @throws ConfigError when the settings cannot be used; no listener was opened then.
 */
export async function serve(sources: Sources): Promise<Serving> {
  const used = new Set<string>()
  const first = readConfig(noting(sources, used))
  const log = createLog(first.config)
  log.info({ settings: shown(first.values) }, 'settings')
  for (const warning of first.warnings) log.warn({ warning }, 'settings warning')
  warnOfSurroundings(first.config, log)
  const claimgate = await createClaimgate(first.config, { log })
  const watching = watchFiles({ onChange: () => reload() })
  watching.follow([...used])
  let { values } = first
  const reload = () => {
    const reading = { ...first }
    used.clear()
    claimgate.reload({
      read() {
        Object.assign(reading, readConfig(noting({ ...sources, readFile: readRegular }, used)))
        return reading.config
      },
      inUse() {
        log.info({ changed: changesIn(values, reading.values) }, 'settings reloaded')
        for (const warning of reading.warnings) log.warn({ warning }, 'settings warning')
        values = reading.values
      },
    })
    watching.follow([...used])
  }
  const { data, admin } = await claimgate.start()
  log.info({ listen: data.authority, admin_listen: admin?.authority }, 'listening')
  return { claimgate, log, reload, close: watching.close }
}

/** What `claimgate doctor` sees without a connection: to the app there is none before a request was decided. */
function warnOfSurroundings(config: Config, log: ProcessLog): void {
  for (const { about, severity, message: finding, change } of examineHeaders(config))
    if (severity !== 'ok') log.warn({ about, finding, change }, 'surroundings warning')
}

/** The same sources; `used` gets the name of every file that is read. */
const noting = (sources: Sources, used: Set<string>): Sources => ({
  ...sources,
  readFile(path) {
    used.add(path)
    return sources.readFile(path)
  },
})

/** A pipe, from which settings may come at the start, has nothing to say a second time. */
function readRegular(path: string): string {
  if (statSync(path).isFile()) return readFileSync(path, 'utf8')
  throw Object.assign(new Error('not a regular file'), { code: 'it is no regular file' })
}

const shown = (values: readonly EffectiveValue[]) =>
  Object.fromEntries(values.map(({ name, value }) => [name, value]))

/** The settings that are not what they were, as they are now; null for one that is not set any more. */
function changesIn(before: readonly EffectiveValue[], after: readonly EffectiveValue[]) {
  const old = shown(before)
  const changed = after.filter(({ name, value }) => old[name] !== value)
  return Object.fromEntries(changed.map(({ name, value }) => [name, value ?? null]))
}

/** How long the last log lines may take to be written. */
const FLUSH_TIME: Milliseconds = 1_000

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Reloads the settings on SIGHUP. Ends `serving` in order on the first other signal, and at once on the second, with 128 and the signal's number. A fault that
 * nobody caught ends it in order, too, with 1; further ones on the way are only logged.
 */
export function superviseProcess(serving: Serving, host: NodeJS.Process): void {
  const { claimgate, log } = serving
  let exitCode: number | undefined
  let isSignalled = false
  const end = (code: number) => {
    if (exitCode !== undefined) return
    exitCode = code
    serving.close()
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
  host.on('SIGHUP', serving.reload)
  const fault = (error: unknown) => {
    log.fatal(describeFault(error), 'uncaught fault')
    end(1)
  }
  host.on('uncaughtException', fault)
  host.on('unhandledRejection', fault)
}
