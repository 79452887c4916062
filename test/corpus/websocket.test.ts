import t, { type Test } from 'tap'
import { runInterpreters } from './upstream/run.ts'
import { handshakes } from './websocket/handshake.ts'
import { tunnels } from './websocket/tunnel.ts'

t.test('WebSockets through claimgate', async (t: Test) => {
  await runInterpreters(t, 'websocket.json', { ...handshakes, ...tunnels })
})
