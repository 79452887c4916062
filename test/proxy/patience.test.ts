import t from 'tap'
import { createPatience } from '../../src/proxy/patience.ts'
import { requestBytes, startClaimgate } from '../helpers/claimgate.ts'
import { keepAliveClient } from '../helpers/keep-alive-client.ts'
import { OK, rawUpstream } from '../helpers/raw-upstream.ts'

t.test(
  'a connection waits after eight refusals in a row, while others are forwarded',
  async (t) => {
    const patience = createPatience()
    const [bad, other] = [{}, {}]
    for (let i = 0; i < 8; i++) {
      t.equal(patience.pauseFor(bad, true), 0)
      patience.note(bad, 'reject')
    }
    t.equal(patience.pauseFor(bad, true), 20)
    t.equal(patience.pauseFor(bad, false), 0, 'nobody to wait for')
    t.equal(patience.pauseFor(other, true), 0)
    patience.note(bad, 'forward')
    t.equal(patience.pauseFor(bad, true), 0)
    patience.note(bad, 'reject')
    t.equal(patience.pauseFor(bad, true), 0)
  },
)

t.test('a flood of refusals is slowed beside a request that is forwarded', async (t) => {
  const upstream = await rawUpstream((socket, received) => {
    socket.on('data', () => received().includes('/never') || socket.write(OK))
  })
  t.teardown(() => upstream.close())
  const gate = await startClaimgate(t, upstream.port)
  const client = await keepAliveClient({ port: gate.port })
  const refusals = async (count: number) => {
    const started = performance.now()
    for (let i = 0; i < count; i++) t.equal((await client.ask(requestBytes(undefined))).status, 401)
    return performance.now() - started
  }
  await refusals(8)
  const waiting = await keepAliveClient({ port: gate.port })
  waiting
    .ask(requestBytes(gate.assertion(), { line: 'GET /never HTTP/1.1' }))
    .catch(() => undefined)
  await upstream.until('/never')
  const beside = await refusals(10)
  t.ok(beside >= 190, `10 refusals in ${Math.round(beside)} ms`)

  client.end()
  waiting.end()
})
