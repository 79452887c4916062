// A body that cannot be read on, at each moment of its request.
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { OK, rawUpstream } from '../helpers/raw-upstream.ts'

const CHUNKED = { line: 'POST /broken HTTP/1.1', lines: ['Transfer-Encoding: chunked'] }
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, one]) => one)

/** An upstream that answers when it is told to. */
async function stage(t: Test, changes: Partial<Config> = {}) {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream((socket) => {
    answers.push(() => socket.write(OK, 'latin1'))
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port, changes)
  const client = await rawClient(gate.port)
  return { upstream, gate, client, answer: () => answers.at(-1)?.() }
}

t.test('behind a request under way: that one is answered, then the broken one', async (t) => {
  const { upstream, gate, client, answer } = await stage(t)
  client.send(requestBytes(gate.assertion(), { line: 'DELETE /first HTTP/1.1' }))
  await upstream.until('/first')
  client.send(`${requestBytes(gate.assertion(), CHUNKED)}zz\r\n`)
  // The parser has met the fault when a later connection was served.
  const other = await rawClient(gate.port)
  other.send(requestBytes(undefined))
  await other.until('401')
  answer()
  t.same(statuses(await client.untilClose()), ['200', '400'])
  t.notMatch(upstream.received().join(''), '/broken')
})

t.test('before its decision: it is answered with 400 and never forwarded', async (t) => {
  const { upstream, gate, client } = await stage(t)
  client.send(`${requestBytes(gate.assertion(), CHUNKED)}zz\r\n`)
  const answer = await client.untilClose()
  t.same(statuses(answer), ['400'])
  t.match(answer, '"code":"ERR_REQUEST_MALFORMED"')
  t.match(answer, /\r\nConnection: close\r\n/)
  t.equal(upstream.connections(), 0)
  const line = gate.logLines().find((one) => one['msg'] === 'request')
  t.match(line, { decision: 'reject', code: 'ERR_REQUEST_MALFORMED', status: 400 })
})

t.test('before its refusal: one answer, that of the broken body', async (t) => {
  const { upstream, gate, client } = await stage(t)
  client.send(`${requestBytes(undefined, CHUNKED)}zz\r\n`)
  t.same(statuses(await client.untilClose()), ['400'])
  t.equal(upstream.connections(), 0)
  const line = gate.logLines().find((one) => one['msg'] === 'request')
  t.match(line, { code: 'ERR_REQUEST_MALFORMED', status: 400 })
})

t.test('where no assertion is needed: it is never forwarded', async (t) => {
  const { upstream, client } = await stage(t, { publicPaths: ['/broken'] })
  client.send(`${requestBytes(undefined, CHUNKED)}zz\r\n`)
  t.same(statuses(await client.untilClose()), ['400'])
  t.equal(upstream.connections(), 0)
})

t.test('once forwarded: the connection is cut, and so is that to the upstream', async (t) => {
  const { upstream, gate, client } = await stage(t)
  client.send(`${requestBytes(gate.assertion(), CHUNKED)}2\r\nab\r\n`)
  await upstream.until('ab')
  client.send('zz\r\n')
  t.equal(await client.untilClose(), '')
  t.notMatch(upstream.received().join(''), '0\r\n\r\n')
})
