import t from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { exchangeBytes } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const HEAD = 'Host: app.example.com\r\n'

const CASES: readonly [string, string, readonly string[], string, string][] = [
  ['a GET with a length of 0', 'GET', ['Content-Length: 0'], '', 'Content-Length: 0\r\n\r\n'],
  ['a POST without a length', 'POST', [], '', '\r\n'],
  [
    'a POST with a length between other fields',
    'POST',
    ['A: 1', 'content-LENGTH: 2', 'B: 2'],
    'ok',
    'A: 1\r\ncontent-LENGTH: 2\r\nB: 2\r\n\r\nok',
  ],
  [
    'an empty chunked POST',
    'POST',
    ['Transfer-Encoding: chunked'],
    '0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'an empty chunked GET',
    'GET',
    ['transfer-encoding: Chunked'],
    '0\r\n\r\n',
    'transfer-encoding: Chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'a chunked DELETE',
    'DELETE',
    ['Transfer-Encoding: chunked', 'A: 1'],
    '2\r\nok\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked\r\nA: 1\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  ],
]
for (const [name, method, lines, body, rest] of CASES)
  t.test(`${name} reaches the upstream as it was sent`, async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port, { identityHeaders: [] })
    const line = `${method} /t HTTP/1.1`
    await exchangeBytes(
      gate.port,
      requestBytes(gate.assertion(), { line, lines: [...lines, 'Connection: close'], body }),
    )
    t.equal(upstream.received()[0], `${line}\r\n${HEAD}${rest}`)
  })

t.test('Host keeps its place among the fields, and its spelling', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { identityHeaders: [] })
  const assertion = `X-Pomerium-Jwt-Assertion: ${gate.assertion()}`
  await exchangeBytes(
    gate.port,
    `GET / HTTP/1.1\r\nA: 1\r\nhOST: a\r\n${assertion}\r\nConnection: close\r\nB: 2\r\n\r\n`,
  )
  t.equal(upstream.received()[0], 'GET / HTTP/1.1\r\nA: 1\r\nhOST: a\r\nB: 2\r\n\r\n')
})
