import type { Milliseconds } from './config/config.ts'
import { ConfigError } from './errors.ts'
import type { Exchange, ExchangeObserver } from './exchange.ts'

/** The parts of `@opentelemetry/api` 1.x that are used; its own types would make it needed to build. */
export interface TracingApi {
  readonly ROOT_CONTEXT: unknown
  readonly SpanKind: { readonly SERVER: number }
  readonly SpanStatusCode: { readonly ERROR: number }
  readonly trace: {
    getTracer(name: string, version?: string): Tracer
    setSpanContext(context: unknown, parent: SpanContext): unknown
  }
}

interface SpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly isRemote: boolean
}

type Attributes = Readonly<Record<string, string | number>>

interface Tracer {
  startSpan(
    name: string,
    options: {
      readonly kind: number
      readonly startTime: Milliseconds
      readonly attributes: Attributes
    },
    context: unknown,
  ): Span
}

interface Span {
  setStatus(status: { readonly code: number }): unknown
  end(endTime: Milliseconds): void
}

// Not written into the import, which would ask the compiler for a package that need not be there.
const PACKAGE: string = '@opentelemetry/api'

const importApi = async (): Promise<unknown> => import(PACKAGE)

/**
 * Loads the API that the operator installed.
 *
 * @throws ConfigError when it is not there
 */
export async function loadTracingApi(
  load: () => Promise<unknown> = importApi,
): Promise<TracingApi> {
  const api = await load().catch(() => undefined)
  if (isTracingApi(api)) return api
  const message = `on needs the package ${PACKAGE} 1.x beside claimgate: install it and an SDK, or set tracing to off`
  throw new ConfigError([{ source: 'tracing', message }])
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

function isTracingApi(api: unknown): api is TracingApi {
  if (!isObject(api)) return false
  const { trace, ROOT_CONTEXT, SpanKind, SpanStatusCode } = api
  return (
    isObject(trace) &&
    typeof trace['getTracer'] === 'function' &&
    typeof trace['setSpanContext'] === 'function' &&
    isObject(SpanKind) &&
    isObject(SpanStatusCode) &&
    ROOT_CONTEXT !== undefined
  )
}

export interface TracingDeps {
  readonly version: string
  /** Wall clock. */
  readonly now: () => Milliseconds
}

/**
 * One span for each exchange, made at its end with the time of its beginning: so nothing waits in between, and a fault of an
 * SDK cannot reach the decision. Such a fault is the SDK's to log.
 */
export function createTracing(api: TracingApi, { version, now }: TracingDeps): ExchangeObserver {
  const tracer = api.trace.getTracer('claimgate', version)
  const record = (exchange: Exchange, duration: Milliseconds) => {
    const ended = now()
    const options = {
      kind: api.SpanKind.SERVER,
      startTime: ended - duration,
      attributes: attributesOf(exchange),
    }
    const span = tracer.startSpan('claimgate', options, parentOf(api, exchange))
    // As the conventions for servers have it: a refusal is the client's fault.
    if ((exchange.status ?? 0) >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR })
    span.end(ended)
  }
  return {
    begin: () => undefined,
    end(exchange, duration) {
      try {
        record(exchange, duration)
      } catch {
        // A request is never lost for its span.
      }
    },
  }
}

function attributesOf({ method, path, status, decision, code }: Exchange): Attributes {
  return {
    'http.request.method': method,
    'url.path': path,
    ...(status === undefined ? {} : { 'http.response.status_code': status }),
    'claimgate.decision': decision,
    ...(code === undefined ? {} : { 'claimgate.code': code }),
  }
}

/** The span that the client named, in the fixed places of `00-TRACE-SPAN-FLAGS`. */
function parentOf({ ROOT_CONTEXT, trace }: TracingApi, { traceParent }: Exchange): unknown {
  if (traceParent === undefined) return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceParent.slice(3, 35),
    spanId: traceParent.slice(36, 52),
    traceFlags: Number.parseInt(traceParent.slice(53, 55), 16),
    isRemote: true,
  })
}
