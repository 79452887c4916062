import { readFileSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import type { Logger } from 'pino'
import { createAdminServer } from './admin/admin-server.ts'
import { createMetrics } from './admin/metrics.ts'
import { createVerifier } from './assertion/verify.ts'
import type { Config, ListenAddress, Milliseconds, UpstreamAddress } from './config/config.ts'
import { createDecide } from './decision.ts'
import { drainServer } from './drain.ts'
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
import { createForwardAuth, decideOriginal } from './proxy/forward-auth.ts'
import { upstreamHost } from './proxy/headers.ts'
import { createRequestHandlers } from './proxy/passage.ts'
import { createRecorder, type Recorder } from './proxy/recorder.ts'
import { createOpenTunnel } from './proxy/tunnel.ts'
import { limitTunnelAge } from './proxy/tunnel-age.ts'
import { createUpstreamPool } from './proxy/upstream.ts'
import { createReportOnly } from './report-only.ts'
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
}

/** Puts the parts together. Reads the TLS files of the upstream; throws when one cannot be read. */
export async function createClaimgate(config: Config, deps: ClaimgateDeps): Promise<Claimgate> {
  const { keySet, load, metrics, pool, requests, bare } = assemble(config, deps)
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
    pool?.close()
    keySet.close()
    await admin.close()
    await data.app.close()
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
function assemble(config: Config, { log, now = Date.now }: ClaimgateDeps) {
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

  const judge = config.reportOnly === 'unsafe' ? createReportOnly(enforce) : enforce
  const decide = config.upstream === undefined ? decideOriginal(judge) : judge

  const metrics = createMetrics({
    version: readVersion(),
    keySetStatus: keySet.status,
    tunnels: () => bare.tunnels.size,
    remembered: () => replayGuard?.size() ?? 0,
    now,
  })
  const recorder = createRecorder({ config, decide, observer: metrics, log, now: monotonic })
  const { pool, requests, bare } = createWay(config, recorder, monotonic)
  return { keySet, load, metrics, pool, requests, bare }
}

/** What becomes of a decided request: without an upstream an answer, else all that forwarding needs. */
function createWay(config: Config, recorder: Recorder, now: () => Milliseconds) {
  return config.upstream === undefined
    ? { pool: undefined, ...createForwardAuth(recorder) }
    : createForwarding(config, config.upstream, { recorder, now })
}

function createForwarding(
  config: Config,
  upstream: UpstreamAddress,
  { recorder, now }: { readonly recorder: Recorder; readonly now: () => Milliseconds },
) {
  const connect = createConnect(upstream, readUpstreamTls(config), config.upstreamConnectTimeout)
  const pool = createUpstreamPool(connect, config, now)
  const forward = createForward({ pool, config, now })
  const openTunnel = limitTunnelAge(createOpenTunnel({ connect, config, now }), {
    config,
    random: Math.random,
  })
  const headerRules = {
    assertionHeader: config.assertionHeader.toLowerCase(),
    isReserved: createReserved(config),
    host: config.preserveHost ? undefined : upstreamHost(upstream),
  }
  const requests = createRequestHandlers({ recorder, forward, headerRules })
  const bare = createBareSocketHandlers({ recorder, openTunnel, headerRules })
  return { pool, requests, bare }
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
