import t from 'tap'
import type { AllowEntry } from '../../src/config/config.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { codeOf, exchangeBytes, statusOf } from '../helpers/raw-client.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

const OPS: AllowEntry = {
  paths: ['/ops/*'],
  methods: undefined,
  claims: [{ claim: 'groups', globs: ['secret-group'] }],
}

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]

const answering = () =>
  rawUpstream((socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })

t.test('what no entry of allow matches is answered with 403 and never forwarded', async (t) => {
  const upstream = await answering()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { allow: [OPS] })
  const ask = (path: string, groups: readonly string[], lines: readonly string[] = []) =>
    exchangeBytes(
      gate.port,
      requestBytes(gate.assertion({ groups }), {
        line: `GET ${path} HTTP/1.1`,
        lines: lines.length > 0 ? lines : ['Connection: close'],
      }),
    )
  for (const [path, groups, lines] of [
    ['/ops/a', ['dev']],
    ['/', ['secret-group']],
    ['/ops/../a', ['secret-group']],
    ['/.claimgate', ['secret-group']],
    ['/ops/ws', ['dev'], HANDSHAKE],
  ] as const) {
    const answer = await ask(path, groups, lines)
    t.equal(statusOf(answer), 403, path)
    t.equal(codeOf(answer), 'ERR_POLICY_DENIED', path)
    t.notMatch(answer, 'group', 'no group is named')
    t.notMatch(answer, 'WWW-Authenticate', 'another sign-in would not help')
  }
  t.same(upstream.received(), [])
  t.equal(statusOf(await ask('/ops/a', ['dev', 'secret-group'])), 200)
  t.equal(upstream.received().length, 1)
})

t.test('the page of a refusal tells the kind of rule that is missing, and no rule', async (t) => {
  const upstream = await answering()
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, { allow: [{ ...OPS, methods: ['GET'] }] })
  const page = (line: string) =>
    exchangeBytes(
      gate.port,
      requestBytes(gate.assertion({ groups: ['dev'] }), {
        line: `${line} HTTP/1.1`,
        lines: ['Connection: close', 'Accept: text/html'],
      }),
    )
  for (const [line, words] of [
    ['GET /', 'No rule lets anybody in'],
    ['DELETE /ops/a', 'not with this kind of request'],
    ['GET /ops/a', 'none of them fits you'],
  ] as const) {
    const answer = await page(line)
    t.equal(statusOf(answer), 403, line)
    t.match(answer, words, line)
    t.notMatch(answer, /secret-group|\/ops|ann@example.com/, 'neither rules nor claims')
  }
})
