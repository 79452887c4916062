import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { Milliseconds } from '../config/config.ts'
import type { Exchange, ExchangeObserver } from '../exchange.ts'
import type { KeySetStatus } from '../key-set/types.ts'

export interface MetricsOptions {
  readonly version: string
  readonly keySetStatus: () => KeySetStatus
  readonly tunnels: () => number
  /** Assertions that the replay guard remembers. */
  readonly remembered: () => number
  readonly reloads: () => {
    readonly last: 'ok' | 'error' | undefined
    readonly since: Milliseconds
  }
  /** End of validity of the certificate in use, since the epoch; `undefined` without TLS. */
  readonly certificateExpires: () => Milliseconds | undefined
  /** Wall clock. */
  readonly now: () => Milliseconds
}

export interface Metrics extends ExchangeObserver {
  keySetFetched(result: 'ok' | 'not_modified' | 'error'): void
  tlsHandshakeFailed(): void
  tlsReloaded(result: 'ok' | 'error'): void
  settingsReloaded(result: 'ok' | 'error'): void
  auditDropped(lines: number): void
  /** Exchanges that have begun and are not counted as ended. */
  inFlight(): number
  /** The Prometheus text exposition, and its media type. */
  text(): Promise<string>
  readonly contentType: string
}

interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels?: readonly string[]
  readonly buckets?: readonly number[]
}

/** Every metric of claimgate; docs/metrics.md is compared with it. No label is made of anything a client sends. */
export const METRICS = {
  claimgate_requests_total: {
    type: 'counter',
    help: 'Requests by decision and status of the answer; status 0 when there was none.',
    labels: ['decision', 'status'],
  },
  claimgate_rejections_total: {
    type: 'counter',
    help: 'Answers of claimgate itself, by error code.',
    labels: ['code'],
  },
  claimgate_report_only_total: {
    type: 'counter',
    help: 'Requests forwarded under report_only that would have been refused, by error code.',
    labels: ['code'],
  },
  claimgate_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the head of a request to the end of its answer.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
  },
  claimgate_verify_duration_seconds: {
    type: 'histogram',
    help: 'Time that the decision took.',
    buckets: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
  },
  claimgate_requests_in_flight: { type: 'gauge', help: 'Requests that have not ended yet.' },
  claimgate_tunnels_open: { type: 'gauge', help: 'WebSocket tunnels that are open.' },
  claimgate_tunnel_duration_seconds: {
    type: 'histogram',
    help: 'Life of WebSocket tunnels, from the handshake to the end.',
    buckets: [1, 10, 60, 300, 900, 3600, 14_400, 43_200, 86_400],
  },
  claimgate_key_set_age_seconds: {
    type: 'gauge',
    help: 'Time since the key set was last loaded with success; NaN before the first time.',
  },
  claimgate_key_set_keys: { type: 'gauge', help: 'Keys that may verify assertions.' },
  claimgate_key_set_fetches_total: {
    type: 'counter',
    help: 'Loads of the key set by result: ok, not_modified or error.',
    labels: ['result'],
  },
  claimgate_stripped_headers_total: {
    type: 'counter',
    help: 'Reserved header fields removed from clients, the assertion itself not counted.',
  },
  claimgate_dropped_items_total: {
    type: 'counter',
    help: 'List items left out of identity headers.',
  },
  claimgate_assertion_age_seconds: {
    type: 'histogram',
    // Negative: Pomerium's clock is ahead of ours.
    help: 'Now less the iat of verified assertions: drift between the clocks shows here.',
    buckets: [-60, -10, -1, 0, 1, 5, 10, 30, 60, 300, 3600],
  },
  claimgate_replay_guard_entries: {
    type: 'gauge',
    help: 'Assertions that the replay guard remembers; 0 when it is off.',
  },
  claimgate_tls_handshake_failures_total: {
    type: 'counter',
    help: 'TLS handshakes on the data port that failed; connections that sent nothing are not counted.',
  },
  claimgate_tls_reloads_total: {
    type: 'counter',
    help: 'Times that the files of TLS on the data port were read again, by result: ok or error.',
    labels: ['result'],
  },
  claimgate_tls_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'End of validity of the certificate of the data port, Unix time; NaN without TLS.',
  },
  claimgate_config_reloads_total: {
    type: 'counter',
    help: 'Reloads of the settings by result: ok (in use) or error (the last good ones stay).',
    labels: ['result'],
  },
  claimgate_config_last_reload_successful: {
    type: 'gauge',
    help: '1 unless the last reload of the settings failed.',
  },
  claimgate_config_last_reload_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the settings in use were taken into use, Unix time.',
  },
  claimgate_audit_lines_dropped_total: {
    type: 'counter',
    help: 'Lines of audit_log that were lost: its reader was behind, or its disk full.',
  },
  claimgate_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels are the version of claimgate and of Node.',
    labels: ['version', 'node'],
  },
} as const satisfies Record<string, MetricRow>

type MetricName = keyof typeof METRICS

/**
 * How often the process metrics of the library look at the event loop, milliseconds. Its own 10 and 100 wake a process that
 * has nothing to do so often that it takes 0.6 % of a processor; these take 0.3 %.
 */
const RARELY = { eventLoopMonitoringPrecision: 20, eventLoopUtilizationTimeout: 1_000 } as const

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, ...RARELY })
  const { counter, gauge, histogram } = makers(registry)
  const requests = counter('claimgate_requests_total')
  const countRefusals = createRefusalCounter(counter)
  const tunnelDurations = histogram('claimgate_tunnel_duration_seconds')
  const durations = histogram('claimgate_request_duration_seconds')
  const verifications = histogram('claimgate_verify_duration_seconds')
  const ages = histogram('claimgate_assertion_age_seconds')
  const stripped = counter('claimgate_stripped_headers_total')
  const dropped = counter('claimgate_dropped_items_total')
  const handshakes = counter('claimgate_tls_handshake_failures_total')
  const reloads = counter('claimgate_config_reloads_total')
  const tlsReloads = counter('claimgate_tls_reloads_total')
  const fetches = counter('claimgate_key_set_fetches_total')
  const auditDropped = counter('claimgate_audit_lines_dropped_total')
  let inFlight = 0
  gauge('claimgate_requests_in_flight', () => inFlight)
  registerState(options, gauge)

  return {
    begin() {
      inFlight++
    },
    end(exchange, duration) {
      inFlight--
      requests.inc({ decision: exchange.decision, status: String(exchange.status ?? 0) })
      countRefusals(exchange)
      durations.observe(duration / 1000)
      if (exchange.status === 101) tunnelDurations.observe(duration / 1000)
      if (exchange.verifyDuration !== undefined)
        verifications.observe(exchange.verifyDuration / 1000)
      if (exchange.stripped > 0) stripped.inc(exchange.stripped)
      if (exchange.dropped > 0) dropped.inc(exchange.dropped)
      const issuedAt = exchange.verified?.claims['iat']
      if (typeof issuedAt === 'number') ages.observe(options.now() / 1000 - issuedAt)
    },
    keySetFetched: (result) => fetches.inc({ result }),
    tlsHandshakeFailed: () => handshakes.inc(),
    tlsReloaded: (result) => tlsReloads.inc({ result }),
    settingsReloaded: (result) => reloads.inc({ result }),
    auditDropped: (lines) => auditDropped.inc(lines),
    inFlight: () => inFlight,
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function createRefusalCounter(counter: ReturnType<typeof makers>['counter']) {
  const rejections = counter('claimgate_rejections_total')
  const reported = counter('claimgate_report_only_total')
  return ({ code, wouldRefuse }: Exchange) => {
    if (code !== undefined) rejections.inc({ code })
    if (wouldRefuse !== undefined) reported.inc({ code: wouldRefuse.code })
  }
}

function makers(registry: Registry) {
  const options = (name: MetricName) => {
    const { help, labels = [], buckets = [] }: MetricRow = METRICS[name]
    return { name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] }
  }
  return {
    counter: (name: MetricName) => new Counter(options(name)),
    histogram: (name: MetricName) => new Histogram(options(name)),
    /** With `read`, the value is taken when the metrics are asked for. */
    gauge: (name: MetricName, read?: () => number) => {
      const collect = (gauge: Gauge) => {
        if (read !== undefined) gauge.set(read())
      }
      return new Gauge({
        ...options(name),
        collect() {
          collect(this)
        },
      })
    },
  }
}

function registerState(options: MetricsOptions, gauge: ReturnType<typeof makers>['gauge']): void {
  const { version, keySetStatus, tunnels, remembered, certificateExpires, reloads } = options
  gauge('claimgate_config_last_reload_successful', () => (reloads().last === 'error' ? 0 : 1))
  gauge('claimgate_config_last_reload_success_timestamp_seconds', () => reloads().since / 1000)
  gauge('claimgate_tunnels_open', tunnels)
  gauge('claimgate_replay_guard_entries', remembered)
  gauge('claimgate_key_set_keys', () => keySetStatus().keys)
  gauge('claimgate_key_set_age_seconds', () => (keySetStatus().age ?? Number.NaN) / 1000)
  gauge(
    'claimgate_tls_certificate_expiry_timestamp_seconds',
    () => (certificateExpires() ?? Number.NaN) / 1000,
  )
  gauge('claimgate_build_info').set({ version, node: process.version }, 1)
}
