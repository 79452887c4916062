import t from 'tap'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { exchangeBytes } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

for (const [name, status, line, lines, body] of [
  ['a coding before chunked', 501, 'POST', ['Transfer-Encoding: cow, chunked'], '0\r\n\r\n'],
  ['another version', 505, 'GET', [], ''],
  ['an unknown expectation', 417, 'GET', ['Expect: x'], ''],
  ['a refused method', 405, 'TRACE', [], ''],
] as const)
  t.test(`after ${name} nothing more is read from the connection`, async (t) => {
    const upstream = await rawUpstream()
    t.teardown(() => upstream.close())
    const gate = await startClaimgate(t, upstream.port)
    const version = status === 505 ? '2.0' : '1.1'
    const request = requestBytes(gate.assertion(), {
      line: `${line} /t HTTP/${version}`,
      lines,
      body,
    })
    const answer = await exchangeBytes(gate.port, request + requestBytes(gate.assertion()))
    t.same(answer.match(/HTTP\/1\.1 \d+/g), [`HTTP/1.1 ${status}`])
    t.match(answer, /\r\nConnection: close\r\n/)
    t.equal(upstream.connections(), 0)
  })

t.test('no header line is lost, wherever the limit of Node lies', async (t) => {
  const upstream = await rawUpstream()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const ask = (count: number) => {
    // With Host and Connection; the assertion comes last.
    const lines = [...Array(count - 3).fill('x: y'), 'Connection: close']
    const stamp = `X-Pomerium-Jwt-Assertion: ${gate.assertion()}`
    return exchangeBytes(gate.port, requestBytes(undefined, { lines: [...lines, stamp] }))
  }
  for (const count of [999, 1000]) t.match(await ask(count), /^HTTP\/1\.1 200 /, `${count} lines`)
  t.equal(
    upstream
      .received()
      .join('')
      .match(/^x: y\r$/gm)?.length,
    996 + 997,
  )
  for (const count of [1001, 1002, 1003, 1033, 1064, 2000, 2001, 10_000])
    t.match(await ask(count), /^HTTP\/1\.1 431 /, `${count} lines`)
})
