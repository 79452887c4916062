import { createAdminServer } from './admin/admin-server.ts'
import { createMetrics, type Metrics, type MetricsOptions } from './admin/metrics.ts'
import { type Audit, openAudit } from './audit/audit.ts'
import type { Config } from './config/config.ts'
import { drainServer, untilEnded } from './drain.ts'
import { type ExchangeObserver, joinObservers } from './exchange.ts'
import { createGeneration } from './generation.ts'
import { type Bound, listenOn } from './listen.ts'
import type { ProcessLog } from './log.ts'
import { createLoadMonitor, LOAD_PERIOD } from './policy/load.ts'
import { createBareSocketHandlers } from './proxy/bare-sockets.ts'
import { createDataServer, type DataServer } from './proxy/data-server.ts'
import { createRequestHandlers } from './proxy/passage.ts'
import { createReloader, type ReloadRequest } from './reload.ts'
import { createSuccession } from './succession.ts'
import { keepServerTls, type TlsKeeper, type TlsKeeperDeps } from './tls/keeper.ts'
import { readServerTls, type ServerTls } from './tls/material.ts'
import { createTracing, loadTracingApi } from './tracing.ts'
import { readVersion } from './version.ts'
import { watchFiles } from './watch.ts'

export interface Claimgate {
  /** Opens both listeners. The key set loads in the background: until then requests are answered with 503. */
  start(): Promise<{ readonly data: Bound; readonly admin: Bound | undefined }>
  /** Takes other settings into use without losing a request, or leaves all as it is and says why in the log. Never throws. */
  reload(request: ReloadRequest): void
  /**
   * Ends without losing a request: not ready, `drain_delay`, no new connections, in-flight requests, tunnels. Called again,
   * it resolves when the first call does.
   */
  drain(): Promise<void>
}

export interface ClaimgateDeps {
  readonly log: ProcessLog
  /** Wall clock for the claims of assertions, milliseconds since the epoch. */
  readonly now?: () => number
  /** Instead of importing `@opentelemetry/api`, with `tracing: on`. */
  readonly loadTracing?: () => Promise<unknown>
}

/**
 * Puts the parts together.
 *
 * @throws ConfigError when the files of TLS, on the data port or to the upstream, cannot be used, or `audit_log` or `tracing`
 */
export async function createClaimgate(config: Config, deps: ClaimgateDeps): Promise<Claimgate> {
  const { log } = deps
  const tls = config.tls === undefined ? undefined : readServerTls(config.tls)
  const core = createCore(config, deps, {
    tracing: await openTracing(config, deps),
    certificateExpires: () => keeper?.inUse().expires,
    reloads: () => reloader.status(),
  })
  const { succession, metrics, requests, bare } = core
  const data = await createDataServer(
    config,
    { ...requests, ...bare },
    { tls, onHandshakeFailed: handshakeReporter(metrics, log) },
  )
  const keeper = keepTls(config, tls, { use: data.useTls, onReload: metrics.tlsReloaded, log })
  const reloader = createReloader({
    succession,
    build: core.build,
    adapt(next) {
      log.level = next.logLevel
      data.adapt(next)
      if (next.tls !== undefined) keeper?.follow(next.tls)
    },
    onResult: metrics.settingsReloaded,
    log,
    now: Date.now,
  })
  const drain = drainOnce({ ...core, data, log, keeper, endAdmin: () => admin.close() })
  const admin = await createAdminServer({
    keySetStatus: () => succession.current().keySet.status(),
    isDraining: drain.hasBegun,
    reloadStatus() {
      const { last = 'none', since } = reloader.status()
      return { last, since: new Date(since).toISOString(), waiting: succession.isWaiting() }
    },
    metrics,
  })
  return {
    async start() {
      succession.current().keySet.start()
      const { listen, adminListen } = config
      return {
        data: await listenOn(data.app.server, listen),
        admin: adminListen === undefined ? undefined : await listenOn(admin.server, adminListen),
      }
    },
    reload(request) {
      if (!drain.hasBegun()) reloader.reload(request)
    },
    drain: drain.begin,
  }
}

const handshakeReporter = (metrics: Metrics, log: ProcessLog) => (reason: string) => {
  metrics.tlsHandshakeFailed()
  log.info({ reason }, 'tls handshake failed')
}

function keepTls(
  { tls: files }: Config,
  tls: ServerTls | undefined,
  deps: Omit<TlsKeeperDeps, 'watch'>,
): TlsKeeper | undefined {
  if (files === undefined || tls === undefined) return undefined
  return keepServerTls(files, tls, { ...deps, watch: watchFiles })
}

interface CoreState extends Pick<MetricsOptions, 'certificateExpires' | 'reloads'> {
  readonly tracing: ExchangeObserver | undefined
}

/** What requests go through, and what is counted of them. */
function createCore(
  config: Config,
  { log, now = Date.now }: ClaimgateDeps,
  { tracing, ...state }: CoreState,
) {
  const load = createLoadMonitor(() => performance.now())
  const loadTimer = setInterval(load.tick, LOAD_PERIOD)
  loadTimer.unref()
  const metrics = createMetrics({
    ...state,
    version: readVersion(),
    keySetStatus: () => current().keySet.status(),
    tunnels: () => bare.tunnels.size,
    remembered: () => current().replayGuard?.size() ?? 0,
    now,
  })
  const audit = openAudit(config, { log, now, onDropped: metrics.auditDropped })
  const others = [audit, tracing].filter((each) => each !== undefined)
  const observer = others.length === 0 ? metrics : joinObservers(metrics, ...others)
  const parts = {
    ...{ log, now, observer, onFetch: metrics.keySetFetched },
    isOverloaded: load.isOverloaded,
  }
  const succession = createSuccession(createGeneration(config, parts))
  const { current } = succession
  const bare = createBareSocketHandlers({ current })
  return {
    succession,
    metrics,
    audit,
    bare,
    requests: createRequestHandlers({ current }),
    build(next: Config) {
      if (next.tls !== undefined) readServerTls(next.tls)
      return createGeneration(next, { ...parts, previous: current() })
    },
    close() {
      clearInterval(loadTimer)
      succession.close()
    },
  }
}

interface Drainable
  extends Pick<ReturnType<typeof createCore>, 'succession' | 'metrics' | 'requests' | 'bare'> {
  readonly data: DataServer
  readonly log: ProcessLog
  readonly keeper: TlsKeeper | undefined
  readonly audit: Audit | undefined
  readonly close: () => void
  readonly endAdmin: () => Promise<unknown>
}

function drainOnce({ succession, metrics, requests, bare, data, log, ...ends }: Drainable) {
  let draining: Promise<void> | undefined
  const drain = async () => {
    const { config, keySet } = succession.current()
    requests.drain()
    const left = await drainServer({
      server: data.app.server,
      connections: data.connections,
      tunnels: bare.tunnels,
      // Who was never ready has nobody who must notice that it is not.
      delay: keySet.status().age === undefined ? 0 : config.drainDelay,
      timeout: config.drainTimeout,
      onStop: bare.drain,
    })
    if (left > 0) log.warn({ connections: left }, 'cut at the end of drain_timeout')
    await untilEnded(metrics.inFlight)
    ends.keeper?.close()
    ends.close()
    await ends.endAdmin()
    await data.app.close()
    await ends.audit?.close()
  }
  return {
    hasBegun: () => draining !== undefined,
    begin() {
      draining ??= drain()
      return draining
    },
  }
}

async function openTracing(
  { tracing }: Config,
  { now = Date.now, loadTracing }: ClaimgateDeps,
): Promise<ExchangeObserver | undefined> {
  if (tracing === 'off') return undefined
  return createTracing(await loadTracingApi(loadTracing), { version: readVersion(), now })
}
