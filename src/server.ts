import { readFileSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import type { Logger } from 'pino'
import { createAdminServer } from './admin/admin-server.ts'
import { createMetrics } from './admin/metrics.ts'
import { createVerifier } from './assertion/verify.ts'
import { openAudit } from './audit/audit.ts'
import type { Config, ListenAddress } from './config/config.ts'
import { createDecide } from './decision.ts'
import { drainServer } from './drain.ts'
import { type ExchangeObserver, joinObservers } from './exchange.ts'
import { createIdentityHeaders } from './identity/headers.ts'
import { createReserved } from './identity/strip.ts'
import { openKeySet } from './key-set/open.ts'
import { createAllow } from './policy/allow.ts'
import { createLoadMonitor, LOAD_PERIOD } from './policy/load.ts'
import { createMissing } from './policy/missing.ts'
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
import { createReportOnly } from './report-only.ts'
import { createTracing, loadTracingApi } from './tracing.ts'
import { readVersion } from './version.ts'

export interface Claimgate {
  /** Opens both listeners. The key set loads in the background: until then requests are answered with 503. */
  start(): Promise<{ readonly data: AddressInfo; readonly admin: AddressInfo | undefined }>
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
  /** Instead of importing `@opentelemetry/api`, with `tracing: on`. */
  readonly loadTracing?: () => Promise<unknown>
}

/** Puts the parts together. Reads the TLS files of the upstream and opens `audit_log`; throws when one cannot be. */
export async function createClaimgate(config: Config, deps: ClaimgateDeps): Promise<Claimgate> {
  const { keySet, load, metrics, audit, pool, requests, bare } = assemble(
    config,
    deps,
    await openTracing(config, deps),
  )
  let draining: Promise<void> | undefined
  const loadTimer = setInterval(load.tick, LOAD_PERIOD)
  loadTimer.unref()
  const data = await createDataServer(config, { ...requests, ...bare })
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
    if (left > 0) deps.log.warn({ connections: left }, 'cut at the end of drain_timeout')
    clearInterval(loadTimer)
    pool.close()
    keySet.close()
    await admin.close()
    await data.app.close()
    await audit?.close()
  }
  return {
    async start() {
      keySet.start()
      const { listen: dataAddress, adminListen } = config
      return {
        data: await listen(data.app.server, dataAddress),
        admin: adminListen === undefined ? undefined : await listen(admin.server, adminListen),
      }
    },
    drain() {
      draining ??= end()
      return draining
    },
  }
}

/** The way of a request, from its parts: key set, verifier, decision, upstream, handlers. */
function assemble(
  config: Config,
  { log, now = Date.now }: ClaimgateDeps,
  tracing: ExchangeObserver | undefined,
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
  const enforce = createDecide({
    config,
    verify,
    identityHeaders,
    replayGuard,
    isAllowed: createAllow(config.allow),
    missingRule: createMissing(config.allow),
    isOverloaded: load.isOverloaded,
  })

  const decide = config.reportOnly === 'unsafe' ? createReportOnly(enforce) : enforce

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
    now,
  })
  const audit = openAudit(config, { log, now, onDropped: metrics.auditDropped })
  const others = [audit, tracing].filter((each) => each !== undefined)
  const observer = others.length === 0 ? metrics : joinObservers(metrics, ...others)
  const recorder = createRecorder({ config, decide, observer, log, now: monotonic })
  const headerRules = {
    assertionHeader: config.assertionHeader.toLowerCase(),
    isReserved: createReserved(config),
    host: config.preserveHost ? undefined : upstreamHost(config.upstream),
  }
  const requests = createRequestHandlers({ recorder, forward, headerRules })
  const bare = createBareSocketHandlers({ recorder, openTunnel, headerRules })
  return { keySet, load, metrics, audit, pool, requests, bare }
}

async function openTracing(
  { tracing }: Config,
  { now = Date.now, loadTracing }: ClaimgateDeps,
): Promise<ExchangeObserver | undefined> {
  if (tracing === 'off') return undefined
  return createTracing(await loadTracingApi(loadTracing), { version: readVersion(), now })
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

function listen(server: Server, address: ListenAddress): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
