import t from 'tap'
import { RejectedError } from '../../src/errors.ts'
import { checkHead, isHandshake, pathOf, type RequestHead } from '../../src/proxy/gate.ts'

const HOST = ['Host', 'app.example.com']
const head = (changes: Partial<RequestHead>): RequestHead => ({
  method: 'GET',
  target: '/',
  httpVersion: '1.1',
  rawHeaders: HOST,
  ...changes,
})

function refusal(request: RequestHead): number | undefined {
  try {
    checkHead(request)
    return undefined
  } catch (error) {
    if (!(error instanceof RejectedError) || error.code !== 'ERR_REQUEST_MALFORMED') throw error
    return error.status
  }
}

const CASES: readonly [string, Partial<RequestHead>, number | undefined][] = [
  ['a plain request', {}, undefined],
  ['HTTP/1.0', { httpVersion: '1.0' }, undefined],
  ['HTTP/0.9', { httpVersion: '0.9' }, 505],
  ['HTTP/2.0', { httpVersion: '2.0' }, 505],
  ['CONNECT', { method: 'CONNECT' }, 405],
  ['TRACE', { method: 'TRACE' }, 405],
  ['PROPFIND', { method: 'PROPFIND' }, undefined],
  ['a method that Node does not list', { method: 'DESCRIBE' }, 400],
  ['an absolute target', { target: 'http://app.example.com/' }, 400],
  ['an authority target', { target: 'app.example.com:80' }, 400],
  ['OPTIONS *', { method: 'OPTIONS', target: '*' }, 400],
  ['an empty target', { target: '' }, 400],
  ['a fragment in the path', { target: '/a#b' }, 400],
  ['a fragment in the query', { target: '/a?b#c' }, 400],
  ['a backslash in the path', { target: '/a\\b' }, 400],
  ['a backslash in the query', { target: '/a?b\\c' }, undefined],
  ['dot segments', { target: '/a/../b/./c' }, undefined],
  ['no Host', { rawHeaders: [] }, 400],
  ['two Hosts', { rawHeaders: [...HOST, 'host', 'b.example.com'] }, 400],
  ['two equal Hosts', { rawHeaders: [...HOST, ...HOST] }, 400],
  ['an empty Host', { rawHeaders: ['Host', ''] }, 400],
  ['a Host with a path', { rawHeaders: ['Host', 'a/b'] }, 400],
  ['a Host with a space', { rawHeaders: ['Host', 'a b'] }, 400],
  ['a Host with user info', { rawHeaders: ['Host', 'u@a'] }, 400],
  ['a Host with a port', { rawHeaders: ['Host', 'a_b:8080'] }, undefined],
  ['an IPv6 Host', { rawHeaders: ['Host', '[::1]:8080'] }, undefined],
  ['another spelling of Host', { rawHeaders: [...HOST, 'ho_st', 'x'] }, undefined],
  ['another spelling of Content-Length', { rawHeaders: [...HOST, 'Content_Length', '5'] }, 400],
  [
    'another spelling of Transfer-Encoding',
    { rawHeaders: [...HOST, 'transfer.encoding', 'chunked'] },
    400,
  ],
  ['a Content-Length', { rawHeaders: [...HOST, 'Content-Length', '5'] }, undefined],
  [
    'two Content-Lengths',
    { rawHeaders: [...HOST, 'Content-Length', '5', 'Content-Length', '5'] },
    400,
  ],
  ['a signed Content-Length', { rawHeaders: [...HOST, 'Content-Length', '+5'] }, 400],
  ['a hexadecimal Content-Length', { rawHeaders: [...HOST, 'Content-Length', '0x5'] }, 400],
  ['a list of Content-Lengths', { rawHeaders: [...HOST, 'Content-Length', '5, 5'] }, 400],
  [
    'a Content-Length that no number holds',
    { rawHeaders: [...HOST, 'Content-Length', '9007199254740993'] },
    400,
  ],
  ['chunked', { rawHeaders: [...HOST, 'Transfer-Encoding', 'Chunked'] }, undefined],
  [
    'chunked with a length',
    { rawHeaders: [...HOST, 'Transfer-Encoding', 'chunked', 'Content-Length', '5'] },
    400,
  ],
  [
    'chunked in HTTP/1.0',
    { httpVersion: '1.0', rawHeaders: [...HOST, 'Transfer-Encoding', 'chunked'] },
    400,
  ],
  ['chunked twice', { rawHeaders: [...HOST, 'Transfer-Encoding', 'chunked, chunked'] }, 400],
  [
    'two Transfer-Encodings',
    { rawHeaders: [...HOST, 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'] },
    400,
  ],
  ['a coding before chunked', { rawHeaders: [...HOST, 'Transfer-Encoding', 'gzip, chunked'] }, 501],
  ['identity', { rawHeaders: [...HOST, 'Transfer-Encoding', 'identity'] }, 501],
  ['an empty coding', { rawHeaders: [...HOST, 'Transfer-Encoding', ''] }, 501],
  ['100-continue', { rawHeaders: [...HOST, 'Expect', '100-Continue'] }, undefined],
  ['another expectation', { rawHeaders: [...HOST, 'Expect', 'the-spanish-inquisition'] }, 417],
  [
    'two expectations',
    { rawHeaders: [...HOST, ...Array(2).fill(['Expect', '100-continue']).flat()] },
    400,
  ],
  ['two Upgrades', { rawHeaders: [...HOST, 'Upgrade', 'h2c', 'Upgrade', 'h2c'] }, 400],
  ['two Trailers', { rawHeaders: [...HOST, 'Trailer', 'a', 'Trailer', 'b'] }, 400],
  ['two Connections', { rawHeaders: [...HOST, 'Connection', 'a', 'Connection', 'b'] }, undefined],
  ['1000 lines', { rawHeaders: [...HOST, ...Array(999).fill(['a', 'b']).flat()] }, undefined],
  ['1001 lines', { rawHeaders: [...HOST, ...Array(1000).fill(['a', 'b']).flat()] }, 431],
  [
    'Upgrade: websocket by POST',
    { method: 'POST', rawHeaders: [...HOST, 'Upgrade', 'WebSocket'] },
    400,
  ],
  [
    'Upgrade: websocket in HTTP/1.0',
    { httpVersion: '1.0', rawHeaders: [...HOST, 'Upgrade', 'websocket'] },
    400,
  ],
  [
    'Upgrade: websocket with a body',
    { rawHeaders: [...HOST, 'Upgrade', 'websocket', 'Content-Length', '1'] },
    400,
  ],
  [
    'Upgrade: websocket with a chunked body',
    { rawHeaders: [...HOST, 'Upgrade', 'websocket', 'Transfer-Encoding', 'chunked'] },
    400,
  ],
  ['Upgrade: h2c by POST', { method: 'POST', rawHeaders: [...HOST, 'Upgrade', 'h2c'] }, undefined],
]
for (const [name, changes, status] of CASES)
  t.test(`checkHead() with ${name}: ${status ?? 'passes'}`, async (t) => {
    t.equal(refusal(head(changes)), status)
  })

t.test('pathOf() cuts the query and decodes nothing', async (t) => {
  t.equal(pathOf('/a%2f/../b?c?d'), '/a%2f/../b')
  t.equal(pathOf('/a'), '/a')
})

t.test(
  'isHandshake() takes a bodyless HTTP/1.1 GET that upgrades to websocket, and nothing else',
  async (t) => {
    const upgrade = [...HOST, 'Connection', 'keep-alive, Upgrade', 'Upgrade', 'websocket']
    t.equal(isHandshake(head({ rawHeaders: upgrade })), true)
    t.equal(isHandshake(head({ method: 'POST', rawHeaders: upgrade })), false)
    t.equal(isHandshake(head({ httpVersion: '1.0', rawHeaders: upgrade })), false)
    t.equal(isHandshake(head({ rawHeaders: [...upgrade, 'Content-Length', '1'] })), false)
    t.equal(isHandshake(head({ rawHeaders: [...HOST, 'Upgrade', 'websocket'] })), false)
    t.equal(
      isHandshake(head({ rawHeaders: [...HOST, 'Connection', 'Upgrade', 'Upgrade', 'h2c'] })),
      false,
    )
  },
)
