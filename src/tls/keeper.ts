import type { ServerTlsFiles } from '../config/config.ts'
import { ConfigError } from '../errors.ts'
import type { FileWatch, WatchOptions } from '../watch.ts'
import { readServerTls, type ServerTls } from './material.ts'

/** Facts first, then a fixed message. */
interface FactLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}

export interface TlsKeeperDeps {
  /** Puts new material into use. Connections that are open keep theirs. */
  readonly use: (tls: ServerTls) => void
  readonly watch: (options: WatchOptions) => FileWatch
  readonly onReload: (result: 'ok' | 'error') => void
  readonly log: FactLog
}

/** Keeps TLS as fresh as its files: a change is in use within seconds, a bad one never. */
export interface TlsKeeper {
  inUse(): ServerTls
  /** From now on these files, as they are now. */
  follow(files: ServerTlsFiles): void
  close(): void
}

/** Begins with `tls`, which was read from `files` and is in use already. */
export function keepServerTls(
  files: ServerTlsFiles,
  tls: ServerTls,
  { use, watch, onReload, log }: TlsKeeperDeps,
): TlsKeeper {
  let current = { files, tls }

  const read = () => {
    try {
      const next = readServerTls(current.files)
      use(next)
      current = { ...current, tls: next }
      onReload('ok')
      log.info({ expires: new Date(next.expires).toISOString() }, 'tls files reloaded')
    } catch (error) {
      onReload('error')
      for (const { source, message } of problemsOf(error))
        log.warn({ source, problem: message }, 'tls files not reloaded, the last good ones stay')
    }
  }
  const watching = watch({ onChange: read })
  watching.follow(pathsOf(files))
  return {
    inUse: () => current.tls,
    follow(next) {
      current = { ...current, files: next }
      watching.follow(pathsOf(next))
      read()
    },
    close: watching.close,
  }
}

const pathsOf = ({ certFile, keyFile, clientCaFile }: ServerTlsFiles): string[] => [
  certFile,
  keyFile,
  ...(clientCaFile === undefined ? [] : [clientCaFile]),
]

/** What is no problem of the files is a fault of ours, told without its message. */
const problemsOf = (error: unknown) =>
  error instanceof ConfigError
    ? error.problems
    : [{ source: 'tls', message: error instanceof Error ? error.name : 'unknown fault' }]
