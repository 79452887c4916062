import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { createAdminServer } from './admin/admin-server.ts'
import { createMetrics } from './admin/metrics.ts'
import { createVerifier } from './assertion/verify.ts'
import type { Config } from './config/config.ts'
import { createDecide } from './decision.ts'
import { drainServer } from './drain.ts'
import { createIdentityHeaders } from './identity/headers.ts'
import { createReserved } from './identity/strip.ts'
import { openKeySet } from './key-set/open.ts'
import { type Bound, listenOn } from './listen.ts'
import { createAllow } from './policy/allow.ts'
import { createLoadMonitor, LOAD_PERIOD } from './policy/load.ts'
import { createReplayGuard } from './policy/replay.ts'
import { createBareSocketHandlers } from './proxy/bare-sockets.ts'
import { createConnect } from './proxy/connector.ts'
import { createDataServer } from './proxy/data-server.ts'
import { createForward } from './proxy/forward.ts'
import { upstreamHost } from './proxy/headers.ts'
import { createRequestHandlers } from './proxy/passage.ts'
import { createRecorder } from './proxy/recorder.ts'
import { createOpenTunnel } from './proxy/tunnel.ts'
import { limitTunnelAge } from './proxy/tunnel-age.ts'
import { createUpstreamPool } from './proxy/upstream.ts'
import { keepServerTls, type TlsKeeper, type TlsKeeperDeps } from './tls/keeper.ts'
import { readServerTls, type ServerTls } from './tls/material.ts'
import { readVersion } from './version.ts'
import { watchFiles } from './watch.ts'

export interface Claimgate {
  /** Opens both listeners. The key set loads in the background: until then requests are answered with 503. */
  start(): Promise<{ readonly data: Bound; readonly admin: Bound | undefined }>
  /**
   * Ends without losing a request: not ready, `drain_delay`, no new connections, in-flight requests, tunnels. Called again,
   * it resolves when the first call does.
   */
  drain(): Promise<void>
}

export interface ClaimgateDeps {
  readonly log: Logger
  /** Wall clock for the claims of assertions, milliseconds since the epoch. */
  readonly now?: () => number
}

/** Puts the parts together. Reads the TLS files of the upstream; throws when one cannot be read. */
export async function createClaimgate(config: Config, deps: ClaimgateDeps): Promise<Claimgate> {
  const { log } = deps
  const tls = config.tls === undefined ? undefined : readServerTls(config.tls)
  const certificateExpires = () => keeper?.inUse().expires ?? tls?.expires
  const { keySet, load, metrics, pool, requests, bare } = assemble(config, deps, certificateExpires)
  let draining: Promise<void> | undefined
  const loadTimer = setInterval(load.tick, LOAD_PERIOD)
  loadTimer.unref()
  const onHandshakeFailed = (reason: string) => {
    metrics.tlsHandshakeFailed()
    log.info({ reason }, 'tls handshake failed')
  }
  const data = await createDataServer(config, { ...requests, ...bare }, { tls, onHandshakeFailed })
  const keeper = keepTls(config, tls, { use: data.useTls, onReload: metrics.tlsReloaded, log })
  const admin = await createAdminServer({
    keySetStatus: keySet.status,
    isDraining: () => draining !== undefined,
    metrics,
  })
  const end = async () => {
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
    clearInterval(loadTimer)
    keeper?.close()
    pool.close()
    keySet.close()
    await admin.close()
    await data.app.close()
  }
  return {
    async start() {
      keySet.start()
      const { listen: dataAddress, adminListen } = config
      return {
        data: await listenOn(data.app.server, dataAddress),
        admin: adminListen === undefined ? undefined : await listenOn(admin.server, adminListen),
      }
    },
    drain() {
      draining ??= end()
      return draining
    },
  }
}

function keepTls(
  { tls: files }: Config,
  tls: ServerTls | undefined,
  deps: Omit<TlsKeeperDeps, 'watch'>,
): TlsKeeper | undefined {
  if (files === undefined || tls === undefined) return undefined
  return keepServerTls(files, tls, { ...deps, watch: watchFiles })
}

/** The way of a request, from its parts: key set, verifier, decision, upstream, handlers. */
function assemble(
  config: Config,
  { log, now = Date.now }: ClaimgateDeps,
  certificateExpires: () => number | undefined,
) {
  const monotonic = () => performance.now()
  const keySet = openKeySet(config.keySet, {
    algorithms: config.algorithms,
    log,
    onFetch: (result) => metrics.keySetFetched(result),
  })
  const load = createLoadMonitor(monotonic)
  const verify = createVerifier({ keySet, expected: config, now })
  const identityHeaders = createIdentityHeaders(config.identityHeaders)
  const replayGuard =
    config.replayGuard === 'on'
      ? createReplayGuard({ clockSkew: config.clockSkew, now })
      : undefined
  const decide = createDecide({
    config,
    verify,
    identityHeaders,
    replayGuard,
    isAllowed: createAllow(config.allow),
    isOverloaded: load.isOverloaded,
  })

  const tls = readUpstreamTls(config)
  const connect = createConnect(config.upstream, tls, config.upstreamConnectTimeout)
  const pool = createUpstreamPool(connect, config, monotonic)
  const forward = createForward({ pool, config, now: monotonic })
  const openTunnel = limitTunnelAge(createOpenTunnel({ connect, config, now: monotonic }), {
    config,
    random: Math.random,
  })

  const metrics = createMetrics({
    version: readVersion(),
    keySetStatus: keySet.status,
    tunnels: () => bare.tunnels.size,
    remembered: () => replayGuard?.size() ?? 0,
    certificateExpires,
    now,
  })
  const recorder = createRecorder({ config, decide, observer: metrics, log, now: monotonic })
  const headerRules = {
    assertionHeader: config.assertionHeader.toLowerCase(),
    isReserved: createReserved(config),
    host: config.preserveHost ? undefined : upstreamHost(config.upstream),
  }
  const requests = createRequestHandlers({ recorder, forward, headerRules })
  const bare = createBareSocketHandlers({ recorder, openTunnel, headerRules })
  return { keySet, load, metrics, pool, requests, bare }
}

function readUpstreamTls({ upstreamTls }: Config) {
  const read = (path: string | undefined) =>
    path === undefined ? undefined : readFileSync(path, 'utf8')
  return {
    ca: read(upstreamTls.caFile),
    serverName: upstreamTls.serverName,
    cert: read(upstreamTls.clientCertFile),
    key: read(upstreamTls.clientKeyFile),
  }
}
