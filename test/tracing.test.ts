import { readFileSync } from 'node:fs'
import t from 'tap'
import { ConfigError } from '../src/errors.ts'
import { createExchange } from '../src/exchange.ts'
import { createTracing, loadTracingApi, type TracingApi } from '../src/tracing.ts'
import { requestBytes, startClaimgate } from './helpers/claimgate.ts'
import { exchangeBytes } from './helpers/raw-client.ts'
import { rawUpstream } from './helpers/raw-upstream.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

/** A stand-in with the shape of @opentelemetry/api that keeps what it is told. */
function recordingApi() {
  const calls: unknown[][] = []
  const api: TracingApi = {
    ROOT_CONTEXT: 'root',
    SpanKind: { SERVER: 1 },
    SpanStatusCode: { ERROR: 2 },
    trace: {
      getTracer: (...what) => {
        calls.push(['tracer', ...what])
        return {
          startSpan: (...given) => {
            calls.push(['start', ...given])
            return {
              setStatus: (status) => calls.push(['status', status]),
              end: (time) => void calls.push(['end', time]),
            }
          },
        }
      },
      setSpanContext: (context, parent) => ({ context, parent }),
    },
  }
  return { api, calls }
}

const DEPS = { version: '1.2.3', now: () => 5_000 }

t.test('a request becomes one span with its times, its parent and no query', async (t) => {
  const { api, calls } = recordingApi()
  const tracing = createTracing(api, DEPS)
  const rawHeaders = ['traceparent', `00-${TRACE}-${SPAN}-01`, 'Cookie', 'secret']
  const exchange = createExchange({ method: 'GET', target: '/a?secret', rawHeaders }, 0)
  tracing.begin()
  t.strictSame(calls, [['tracer', 'claimgate', '1.2.3']], 'nothing before the end')
  exchange.decision = 'forward'
  exchange.status = 200
  tracing.end(exchange, 1_500)
  const attributes = {
    'http.request.method': 'GET',
    'url.path': '/a',
    'http.response.status_code': 200,
    'claimgate.decision': 'forward',
  }
  const parent = { traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true }
  t.strictSame(calls.slice(1), [
    ['start', 'claimgate', { kind: 1, startTime: 3_500, attributes }, { context: 'root', parent }],
    ['end', 5_000],
  ])
})

t.test(
  'a refusal has its code; only 5xx is an error; no good traceparent, no parent',
  async (t) => {
    const { api, calls } = recordingApi()
    const tracing = createTracing(api, DEPS)
    for (const status of [401, 503, undefined]) {
      const rawHeaders = ['traceparent', `00-${TRACE}-${SPAN}`]
      const exchange = createExchange({ method: 'GET', target: '/', rawHeaders }, 0)
      exchange.code = 'ERR_ASSERTION_MISSING'
      exchange.status = status
      tracing.end(exchange, 1)
    }
    t.match(calls[1], [
      'start',
      'claimgate',
      { attributes: { 'claimgate.code': 'ERR_ASSERTION_MISSING' } },
      'root',
    ])
    t.strictSame(
      calls.slice(1).map(([what, detail]) => (what === 'status' ? detail : what)),
      ['start', 'end', 'start', { code: 2 }, 'end', 'start', 'end'],
    )
  },
)

t.test('tracing: on makes spans of requests, and the app gets traceparent unchanged', async (t) => {
  const { api, calls } = recordingApi()
  const app = await rawUpstream()
  t.teardown(() => app.close())
  const loadTracing = async () => api
  const gate = await startClaimgate(t, app.port, { tracing: 'on' }, { loadTracing })
  const field = `TraceParent: 00-${TRACE}-${SPAN}-00`
  const lines = ['Connection: close', field, 'tracestate: a=1']
  await exchangeBytes(gate.port, requestBytes(gate.assertion(), { lines }))
  await gate.gate.drain()
  t.match(calls[1], ['start', 'claimgate', {}, { parent: { spanId: SPAN, traceFlags: 0 } }])
  t.match(app.received().join(''), `\r\n${field}\r\n`)
  t.match(app.received().join(''), '\r\ntracestate: a=1\r\n')
})

t.test('tracing: off loads nothing', async (t) => {
  const loadTracing = () => t.fail('not asked for') as never
  await t.resolves(startClaimgate(t, 1, {}, { loadTracing }))
})

t.test('tracing: on without the package opens no listener', async (t) => {
  const loadTracing = () => Promise.reject(new Error('absent'))
  const start = startClaimgate(t, 1, { tracing: 'on' }, { loadTracing })
  await t.rejects(start, { name: 'ConfigError' })
})

t.test('an SDK that throws harms no request', async (t) => {
  const { api } = recordingApi()
  const failing = () => {
    throw new Error('SDK')
  }
  const getTracer = () => ({ startSpan: failing })
  const tracing = createTracing({ ...api, trace: { ...api.trace, getTracer } }, DEPS)
  t.doesNotThrow(() => tracing.end(createExchange({ method: 'GET', target: '/' }, 0), 1))
})

t.test('the API is loaded when it has the shape of one', async (t) => {
  const { api } = recordingApi()
  t.equal(await loadTracingApi(async () => api), api)
})

t.test('without the package the start ends and says what to install', async (t) => {
  for (const load of [
    async () => ({}),
    async () => undefined,
    async () => ({ trace: {} }),
    () => Promise.reject(new Error('not found')),
  ]) {
    const error = await loadTracingApi(load).catch((reason: unknown) => reason)
    t.ok(error instanceof ConfigError)
    t.match(error, {
      problems: [{ source: 'tracing', message: /package @opentelemetry\/api 1\.x/ }],
    })
  }
})

t.test('the package is an optional peer, so that it is not installed with claimgate', async (t) => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  )
  t.same(peerDependencies, { '@opentelemetry/api': '^1.9.0' })
  t.same(peerDependenciesMeta, { '@opentelemetry/api': { optional: true } })
  t.notOk(Object.keys(dependencies).some((name) => name.startsWith('@opentelemetry/')))
})
