import t from 'tap'
import { startHttpbin, withoutHttpbin } from './apps.ts'
import { type Answer, type Sent, send } from './requests.ts'
import { ROUTE_HOST, startStage } from './stage.ts'

const FORM = ['Content-Type', 'application/x-www-form-urlencoded']
const CHUNKED = ['Transfer-Encoding', 'chunked']

/** What httpbin is asked both directly and through claimgate. */
const CASES: readonly Sent[] = [
  { target: '/get' },
  { target: '/get?a=1&a=2&b=%20%26+x&empty=&&c' },
  { target: '/get', headers: ['X-Twice', '1', 'X-Twice', '2', 'x-lower', 'v', 'X-Empty', ''] },
  { target: '/get', headers: ['X-Latin', 'caf\u00e9', 'X-Tab', 'a\tb'] },
  { target: '/get', headers: ['Accept-Encoding', 'gzip, br', 'Cache-Control', 'no-cache'] },
  { target: '/get', headers: ['Range', 'bytes=0-3', 'If-None-Match', '"x"'] },
  { target: '/get', headers: ['Authorization', 'Basic dXNlcjpwYXNz'] },
  { target: '/get', headers: ['Cookie', 'a=1; b=2'] },
  { method: 'GET', target: '/anything', body: 'a body on GET' },
  { method: 'HEAD', target: '/get' },
  { method: 'OPTIONS', target: '/get' },
  { method: 'POST', target: '/post', headers: FORM, body: 'a=1&b=2' },
  { method: 'POST', target: '/post', headers: CHUNKED, body: 'in chunks' },
  { method: 'POST', target: '/post', headers: ['Content-Type', 'weird'], body: 'x' },
  {
    method: 'POST',
    target: '/post',
    headers: ['Content-Type', 'text/plain;charset="x'],
    body: 'x',
  },
  { method: 'POST', target: '/post', headers: ['Content-Type', 'application/json'], body: '{' },
  { method: 'POST', target: '/post', body: Buffer.from([0, 255, 10, 13]) },
  { method: 'POST', target: '/post', body: '' },
  { method: 'PUT', target: '/put', body: 'x'.repeat(100_000) },
  { method: 'PATCH', target: '/patch', body: 'x' },
  { method: 'DELETE', target: '/delete', body: 'x' },
  { method: 'DELETE', target: '/delete' },
  { method: 'PROPFIND', target: '/anything' },
  { method: 'PURGE', target: '/anything' },
  { target: '/status/200' },
  { target: '/status/204' },
  { target: '/status/301' },
  { target: '/status/304' },
  { target: '/status/401' },
  { target: '/status/404' },
  { target: '/status/418' },
  { target: '/status/500' },
  { target: '/status/503' },
  { target: '/redirect/2' },
  { target: '/relative-redirect/1' },
  { target: '/cookies/set?a=1&b=2' },
  { target: '/response-headers?X-One=1&X-One=2&Content-Type=text/x' },
  { target: '/gzip' },
  { target: '/deflate' },
  { target: '/encoding/utf8' },
  { target: '/image/png' },
  { target: '/bytes/5000?seed=1' },
  { target: '/stream-bytes/5000?seed=1&chunk_size=700' },
  { target: '/stream/5' },
  { target: '/drip?duration=0.2&numbytes=4&delay=0' },
  { target: '/range/1000', headers: ['Range', 'bytes=10-19'] },
  { target: '/etag/abc', headers: ['If-None-Match', 'abc'] },
  { target: '/cache', headers: ['If-Modified-Since', 'Sat, 01 Jan 2000 00:00:00 GMT'] },
  { target: '/basic-auth/user/pass', headers: ['Authorization', 'Basic dXNlcjpwYXNz'] },
  { target: '/basic-auth/user/pass' },
  { target: '/anything//double//slash' },
  { target: '/anything/%41%2F%20%c3%a9' },
  { target: '/anything/a;b=1:@!$&()*+,' },
  { target: '/anything/..;/x' },
  { target: '/anything/%zz' },
  { target: '/anything/%2e%2e/x' },
  { target: '/anything/./a/../b' },
  { target: `/anything?long=${'x'.repeat(8000)}` },
]

/** Answer headers that belong to the connection or the moment; framing is compared by `isChunked`. */
const PASSING = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])

const comparable = ({ status, statusMessage, rawHeaders, body }: Answer) => ({
  status,
  statusMessage,
  isChunked: rawHeaders.some((text) => text.toLowerCase() === 'transfer-encoding'),
  headers: rawHeaders.flatMap((name, index) =>
    index % 2 === 1 || PASSING.has(name.toLowerCase()) ? [] : [`${name}: ${rawHeaders[index + 1]}`],
  ),
  body: withoutGzipTime(body).toString('latin1'),
})

/** RFC 1952, 2.3: bytes 4 to 7 are the time of compression. */
const withoutGzipTime = (body: Buffer): Buffer =>
  body.length > 8 && body.readUInt16BE(0) === 0x1f8b ? Buffer.from(body).fill(0, 4, 8) : body

t.test(
  'httpbin answers the same with and without claimgate',
  { skip: withoutHttpbin() },
  async (t) => {
    const httpbin = await startHttpbin(t)
    const stage = await startStage(t, httpbin, { CLAIMGATE_PRESET: 'none' })
    for (const { headers = [], ...sent } of CASES) {
      const common = ['Host', ROUTE_HOST, 'Accept', '*/*', ...headers]
      const assertion = ['X-Pomerium-Jwt-Assertion', await stage.mint('ana')]
      const direct = await send(httpbin, { ...sent, headers: common })
      const through = await send(stage.gate, { ...sent, headers: [...common, ...assertion] })
      const label = `${sent.method ?? 'GET'} ${sent.target?.slice(0, 60)} ${headers.join(' ').slice(0, 60)}`
      t.strictSame(comparable(through), comparable(direct), label)
    }
  },
)
