import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { createVerifier } from './assertion/verify.ts'
import type { Config, Milliseconds, UpstreamAddress } from './config/config.ts'
import { createDecide, type Decide } from './decision.ts'
import { ConfigError, type Problem } from './errors.ts'
import type { ExchangeObserver } from './exchange.ts'
import { createIdentityHeaders } from './identity/headers.ts'
import { createReserved } from './identity/strip.ts'
import { type OpenKeySetDeps, openKeySet } from './key-set/open.ts'
import type { KeySet } from './key-set/types.ts'
import type { Log } from './log.ts'
import { createAllow } from './policy/allow.ts'
import { createMissing } from './policy/missing.ts'
import { createReplayGuard, type ReplayGuard } from './policy/replay.ts'
import { createConnect, type UpstreamTls } from './proxy/connector.ts'
import { createForward } from './proxy/forward.ts'
import { createForwardAuth, decideOriginal, refuseAliases } from './proxy/forward-auth.ts'
import type { Generation } from './proxy/generation.ts'
import { upstreamHost } from './proxy/headers.ts'
import { createRecorder, type Recorder } from './proxy/recorder.ts'
import { createOpenTunnel } from './proxy/tunnel.ts'
import { limitTunnelAge } from './proxy/tunnel-age.ts'
import { createUpstreamPool } from './proxy/upstream.ts'
import { createReportOnly } from './report-only.ts'

/** A generation with what only its owner may touch. */
export interface OwnedGeneration extends Generation {
  readonly config: Config
  readonly keySet: KeySet
  readonly replayGuard: ReplayGuard | undefined
  /**
   * No request begins with it from now on. Those that have go on; what `successor` does not use is closed when the last of
   * them is decided.
   */
  retire(successor: Pick<OwnedGeneration, 'keySet'> | undefined): void
}

export interface GenerationDeps {
  readonly log: Log
  /** Wall clock. */
  readonly now: () => Milliseconds
  readonly observer: ExchangeObserver
  readonly onFetch: OpenKeySetDeps['onFetch']
  readonly isOverloaded: () => boolean
  /** The one in use: its key set, if it is the same, and what was replayed are taken over. */
  readonly previous?: OwnedGeneration
}

/**
 * Builds the way of a request from settings. The key set is not started.
 *
 * @throws ConfigError when the files of TLS to the upstream cannot be used
 */
export function createGeneration(config: Config, deps: GenerationDeps): OwnedGeneration {
  const { log, observer, previous } = deps
  const now = () => performance.now()
  const keySet = isSameKeySet(config, previous?.config)
    ? (previous?.keySet ?? openKeySetOf(config, deps))
    : openKeySetOf(config, deps)
  const replayGuard =
    config.replayGuard === 'off' ? undefined : (previous?.replayGuard ?? createGuard(config, deps))
  const decide = createDecision(config, keySet, { ...deps, replayGuard })
  const recorder = createRecorder({ config, decide, observer, log, now, defer: setImmediate })
  const { endIdle, ...way } = createWay(config, recorder, now)
  return {
    config,
    keySet,
    replayGuard,
    ...way,
    retire(successor) {
      endIdle()
      // A decision under way may still wait for a key.
      if (successor?.keySet !== keySet) recorder.whenUndecided(keySet.close)
    },
  }
}

/** What becomes of a decided request: without an upstream an answer, else all that forwarding needs. */
function createWay(config: Config, recorder: Recorder, now: () => Milliseconds) {
  const { upstream } = config
  return upstream === undefined
    ? { ...createForwardAuth(recorder), endIdle: () => undefined }
    : createForwarding(config, upstream, { recorder, now })
}

function createForwarding(
  config: Config,
  upstream: UpstreamAddress,
  { recorder, now }: { readonly recorder: Recorder; readonly now: () => Milliseconds },
) {
  const connect = createConnect(upstream, readUpstreamTls(config), config.upstreamConnectTimeout)
  const pool = createUpstreamPool(connect, config, now)
  return {
    recorder,
    answerOf: undefined,
    forward: createForward({ pool, config, now }),
    openTunnel: limitTunnelAge(createOpenTunnel({ connect, config, now }), {
      config,
      random: Math.random,
    }),
    headerRules: {
      assertionHeader: config.assertionHeader.toLowerCase(),
      isReserved: createReserved(config),
      host: config.preserveHost ? undefined : upstreamHost(upstream),
    },
    endIdle: pool.close,
  }
}

const isSameKeySet = (one: Config, other: Config | undefined): boolean =>
  JSON.stringify([one.keySet, one.algorithms]) ===
  JSON.stringify([other?.keySet, other?.algorithms])

const openKeySetOf = ({ keySet, algorithms }: Config, { log, onFetch }: GenerationDeps): KeySet =>
  openKeySet(keySet, { algorithms, log, onFetch })

const createGuard = ({ clockSkew }: Config, { now }: GenerationDeps): ReplayGuard =>
  createReplayGuard({ clockSkew, now })

function createDecision(
  config: Config,
  keySet: KeySet,
  deps: GenerationDeps & Pick<OwnedGeneration, 'replayGuard'>,
): Decide {
  const decide = createDecide({
    config,
    verify: createVerifier({ keySet, expected: config, now: deps.now }),
    identityHeaders: createIdentityHeaders(config.identityHeaders),
    replayGuard: deps.replayGuard,
    isAllowed: createAllow(config.allow),
    missingRule: createMissing(config.allow),
    isOverloaded: deps.isOverloaded,
  })
  const judge = config.reportOnly === 'unsafe' ? createReportOnly(decide) : decide
  return config.upstream === undefined ? decideOriginal(refuseAliases(judge, config)) : judge
}

function readUpstreamTls({ upstreamTls }: Config): UpstreamTls {
  const problems: Problem[] = []
  const read = (setting: string, path: string | undefined) => {
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'a fault'
      problems.push({ source: path ?? '', message: `${setting} must be readable, got ${code}` })
      return undefined
    }
  }
  const tls = {
    ca: read('upstream_ca_file', upstreamTls.caFile),
    serverName: upstreamTls.serverName,
    cert: read('upstream_client_cert_file', upstreamTls.clientCertFile),
    key: read('upstream_client_key_file', upstreamTls.clientKeyFile),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  tryOut(tls, upstreamTls.clientCertFile)
  return tls
}

/** What is wrong with them would otherwise be met at each connection. */
function tryOut({ cert, key }: UpstreamTls, source = ''): void {
  try {
    if (cert !== undefined && key !== undefined) createSecureContext({ cert, key })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'a fault'
    const message = `upstream_client_cert_file must fit upstream_client_key_file, got ${code}`
    throw new ConfigError([{ source, message }])
  }
}
