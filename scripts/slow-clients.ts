/**
 * 1000 slow clients of each kind against the built claimgate, by slowhttptest (apt-get install slowhttptest), while a good
 * client goes on: `npm run slow-clients`. Ends with 1 when a connection outlives its limit.
 *
 * The loopback's large packets let the kernel take megabytes for each reader that stops. As on a real network:
 * `unshare -n sh -c 'ip link set lo mtu 1500 up && npm run slow-clients'`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { startApp } from '../test/e2e/app.ts'
import { requestBytes } from '../test/helpers/claimgate.ts'
import { startIssuer } from '../test/helpers/issuer.ts'
import { type KeepAliveClient, keepAliveClient } from '../test/helpers/keep-alive-client.ts'
import { createOwner, pause, startProgram } from '../test/helpers/program.ts'

const { values } = parseArgs({ options: { connections: { type: 'string', default: '1000' } } })
if (spawnSync('slowhttptest', ['-h']).error !== undefined) {
  console.log('slow clients: skipped, slowhttptest is not installed')
  process.exit(0)
}

const owner = createOwner()
const issuer = await startIssuer(owner)
const app = await startApp(owner)
const program = await startProgram(owner, {
  env: {
    ...issuer.env,
    CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
    // Instead of a minute, so that this ends soon.
    CLAIMGATE_BODY_IDLE_TIMEOUT: '10s',
  },
})
await program.untilReady()

/** The tool cannot add a header, but it sends a cookie as it is told. */
const assertion = () => ['-j', `a=b\r\nX-Pomerium-Jwt-Assertion: ${issuer.assertion()}`]
const url = (path: string) => ['-u', `http://127.0.0.1:${program.port}${path}`]

const ATTACKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['slow heads', ['-H', '-i', '5', ...url('/')]],
  ['slow bodies without an assertion', ['-B', '-i', '5', ...url('/')]],
  ['bodies that stop', ['-B', '-i', '60', ...assertion(), ...url('/')]],
  ['slow readers', ['-X', '-n', '5', '-z', '5', ...assertion(), ...url('/size/2000000')]],
]

/** The longest wait of its event loop since the last look, seconds. */
const LAG = 'nodejs_eventloop_lag_max_seconds'

/** When the tool gives up, seconds; before that it ends when every connection has ended. */
const LENGTH = 30

/** Idle connections to the app. */
const SPARE = 20

async function attack(args: readonly string[]): Promise<void> {
  const common = ['-c', values.connections, '-r', '500', '-l', `${LENGTH}`, '-p', '5']
  const tool = spawn('slowhttptest', [...args, ...common], { stdio: 'ignore' })
  await new Promise((resolve) => tool.once('close', resolve))
}

async function timed(client: KeepAliveClient) {
  const started = performance.now()
  const reply = await client.ask(requestBytes(issuer.assertion())).catch(() => undefined)
  return reply && { status: reply.status, took: performance.now() - started }
}

/**
 * The same at the same moment without claimgate, on a new connection as claimgate needs one: the app is busy with the
 * attack, too, and a Node app takes in one connection in each turn of its event loop.
 */
async function timedDirectly() {
  const started = performance.now()
  const client = await keepAliveClient(app)
  const opened = performance.now() - started
  const answer = await timed(client)
  client.end()
  return answer && { ...answer, took: answer.took + opened }
}

/** 99 of 100, and the longest, milliseconds. */
function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  return `p99 ${p99.toFixed(1)} ms, slowest ${(sorted.at(-1) ?? Number.NaN).toFixed(1)} ms`
}

let isGood = true
for (const [name, args] of ATTACKS) {
  const client = await keepAliveClient(program)
  const before = program.usage()
  const begin = performance.now()
  /** `ended`: seconds until the program had rid itself of them; the tool may not see it, as it does not read. */
  const state = { isOver: false, rss: before.rss, descriptors: before.descriptors, ended: 0 }
  const latencies: number[] = []
  const added: number[] = []
  const probe = (async () => {
    while (!state.isOver) {
      const [through, direct] = await Promise.all([timed(client), timedDirectly()])
      if (through?.status !== 200) isGood = false
      if (through === undefined) break
      latencies.push(through.took)
      added.push(through.took - (direct?.took ?? 0))
      const { rss, descriptors } = program.usage()
      state.rss = Math.max(state.rss, rss)
      state.descriptors = Math.max(state.descriptors, descriptors)
      const isRid = descriptors <= before.descriptors + SPARE
      if (!isRid) state.ended = 0
      else if (state.ended === 0) state.ended = (performance.now() - begin) / 1_000
      await pause(25)
    }
  })()
  // What came before counts no more.
  await program.metric(LAG)
  await attack(args)
  const elapsed = (performance.now() - begin) / 1_000
  if (elapsed < LENGTH - 1 && state.ended === 0) state.ended = elapsed
  const lag = (await program.metric(LAG)) * 1_000
  state.isOver = true
  await probe
  client.end()
  isGood &&= state.ended > 0
  console.log(
    `${name}: ${state.ended > 0 ? `all ended within ${state.ended.toFixed(1)} s` : 'NOT all ended'}, ` +
      `good requests ${spread(latencies)}, of which claimgate's ${spread(added)}, ` +
      `event loop late by ${lag.toFixed(0)} ms at most, ` +
      `RSS ${before.rss.toFixed(0)} -> ${state.rss.toFixed(0)} MB at most, up to ${state.descriptors} descriptors`,
  )
}
await owner.end()
process.exitCode = isGood ? 0 : 1
