import t from 'tap'
import {
  bodyFollows,
  downstreamHeaders,
  headerValue,
  isWebSocketUpgrade,
  upstreamHeaders,
  upstreamHost,
} from '../../src/proxy/headers.ts'

const rules = {
  assertionHeader: 'x-assertion',
  isReserved: (name: string) => /^x-(?:claim|assertion)/i.test(name),
  host: undefined,
}

t.test('upstreamHeaders() keeps order, spelling and duplicates, and adds ours last', async (t) => {
  const raw = ['Host', 'a', 'X-b', '1', 'x-B', '2']
  t.same(upstreamHeaders(raw, rules, ['X-Claim', 'ann']), {
    lines: ['Host', 'a', 'X-b', '1', 'x-B', '2', 'X-Claim', 'ann'],
    stripped: 0,
  })
})

t.test('upstreamHeaders() counts reserved fields, but not the assertion', async (t) => {
  const raw = ['X-Claim', 'mallory', 'X-CLAIM', 'eve', 'X-Assertion', 'a.b.c']
  t.same(upstreamHeaders(raw, rules, []), { lines: [], stripped: 2 })
})

for (const name of [
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
])
  t.test(`upstreamHeaders() removes ${name}`, async (t) => {
    t.same(upstreamHeaders([name, 'x'], rules, []).lines, [])
  })

t.test(
  'upstreamHeaders() removes what Connection names, in any case, from all its fields',
  async (t) => {
    const raw = [
      'X-Hop',
      '1',
      'x-HOP',
      '2',
      'X-Other',
      '3',
      'Connection',
      'close, x-hop',
      'connection',
      'x-other',
      'X-Kept',
      '4',
    ]
    t.same(upstreamHeaders(raw, rules, []).lines, ['X-Kept', '4'])
  },
)

t.test('upstreamHeaders() takes no other field for Connection', async (t) => {
  const raw = ['User-Agent', 'x-kept', 'X-Kept', '1']
  t.same(upstreamHeaders(raw, rules, []).lines, raw)
})

t.test('upstreamHeaders() removes a field whose value is reserved', async (t) => {
  const raw = ['Authorization', 'Bearer Pomerium-x', 'Authorization', 'Basic x']
  const isReserved = (_name: string, value: string) => value.startsWith('Bearer Pomerium-')
  t.same(upstreamHeaders(raw, { ...rules, isReserved }, []), {
    lines: ['Authorization', 'Basic x'],
    stripped: 1,
  })
})

t.test('the framing of a request stays in its place, that of an answer is made anew', async (t) => {
  const raw = [
    'A',
    '1',
    'Transfer-Encoding',
    'chunked',
    'Connection',
    'transfer-encoding',
    'B',
    '2',
  ]
  t.same(upstreamHeaders(raw, rules, []).lines, [
    'A',
    '1',
    'Transfer-Encoding',
    'chunked',
    'B',
    '2',
  ])
  t.same(downstreamHeaders(raw), ['A', '1', 'B', '2'])
})

t.test('Connection cannot remove Host, Content-Length or a field of ours', async (t) => {
  const raw = ['Host', 'a', 'Content-Length', '1', 'Connection', 'host, content-length, x-claim']
  t.same(upstreamHeaders(raw, rules, ['X-Claim', 'ann']).lines, [
    'Host',
    'a',
    'Content-Length',
    '1',
    'X-Claim',
    'ann',
  ])
})

t.test("upstreamHeaders() replaces Host by the upstream's where it is not preserved", async (t) => {
  const raw = ['Accept', 'c', 'Host', 'a']
  t.same(upstreamHeaders(raw, { ...rules, host: 'b:1' }, []).lines, ['Accept', 'c', 'Host', 'b:1'])
})

t.test('downstreamHeaders() keeps fields that are only as long as those it removes', async (t) => {
  const raw = [
    'X-Frame-OptionsXY',
    'a',
    'X-Cache-St',
    'b',
    'Expires',
    'c',
    'Transfer-Encoding',
    'd',
  ]
  t.same(raw[0]?.length, 'transfer-encoding'.length)
  t.same(downstreamHeaders(raw), raw.slice(0, 6))
})

t.test('downstreamHeaders() removes the fields of the upstream connection', async (t) => {
  const raw = [
    'Connection',
    'X-Hop',
    'X-Hop',
    '1',
    'Keep-Alive',
    'timeout=5',
    'Set-Cookie',
    'a',
    'set-cookie',
    'b',
  ]
  t.same(downstreamHeaders(raw), ['Set-Cookie', 'a', 'set-cookie', 'b'])
})

t.test('headerValue() finds a field in any case', async (t) => {
  t.equal(headerValue(['Origin', '1', 'Accept', '2'], 'accept'), '2')
  t.equal(headerValue(['Acc', '1', 'ACCEPT', '2'], 'accept'), '2')
  t.equal(headerValue(['Acc', '1'], 'accept'), undefined)
})

t.test('isWebSocketUpgrade() needs both fields', async (t) => {
  t.equal(isWebSocketUpgrade(['Upgrade', 'WebSocket', 'Connection', 'a, upgrade']), true)
  t.equal(isWebSocketUpgrade(['Upgrade', 'websocket', 'Connection', 'upgraded']), false)
  t.equal(isWebSocketUpgrade(['Upgrade', 'websocket, h2c', 'Connection', 'upgrade']), false)
  t.equal(isWebSocketUpgrade(['Connection', 'upgrade']), false)
})

t.test('bodyFollows() goes by the framing fields', async (t) => {
  t.equal(bodyFollows(['Content-Length', '1']), true)
  t.equal(bodyFollows(['content-length', '0']), false)
  t.equal(bodyFollows(['Transfer-Encoding', 'chunked']), true)
  t.equal(bodyFollows([]), false)
})

t.test('upstreamHost() leaves out a default port and brackets IPv6', async (t) => {
  t.equal(upstreamHost({ protocol: 'http:', hostname: 'app', port: 80 }), 'app')
  t.equal(upstreamHost({ protocol: 'https:', hostname: 'app', port: 80 }), 'app:80')
  t.equal(upstreamHost({ protocol: 'http:', hostname: '::1', port: 3000 }), '[::1]:3000')
  t.equal(upstreamHost({ protocol: 'unix:', path: '/run/app' }), 'localhost')
})
