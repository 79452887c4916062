/**
 * Mixed traffic through the built claimgate for a long time, while keys rotate and the app and the key set endpoint
 * restart: `npm run soak -- --minutes 20`. Every request is made with what must become of it; ends with 1 when one went
 * otherwise, when the process did not live through it, or when memory or descriptors grew.
 */
import { parseArgs } from 'node:util'
import { startApp } from '../test/e2e/app.ts'
import { startIssuer } from '../test/helpers/issuer.ts'
import { createOwner, pause, startProgram, until } from '../test/helpers/program.ts'
import { actor, BAD_MARK } from './soak/actors.ts'
import { createLedger } from './soak/ledger.ts'
import { quarters, sampleUsage, slopePerHour } from './soak/samples.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    actors: { type: 'string', default: '12' },
  },
})
const minutes = Number(values.minutes)
/** The heap finds its size in this time. */
const WARM_UP = Math.min(3, minutes / 3)
/** Growth from the first to the last quarter after the warm-up that is no leak but a heap that breathes, MB. */
const BREATH = 25

/** Growth of what is left after collections, MB. */
const LEAK = 5

const owner = createOwner()
const ledger = createLedger()
const issuer = await startIssuer(owner)
const app = await startApp(owner, {
  onArrival: ({ headers }) => {
    if (String(headers['x-mark']).startsWith(BAD_MARK))
      ledger.wrong('app', 'a refused request arrived', performance.now())
  },
})
const program = await startProgram(owner, {
  env: {
    ...issuer.env,
    CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}`,
    CLAIMGATE_DRAIN_DELAY: '0s',
  },
})
await program.untilReady()
const atStart = program.usage().descriptors
const samples = sampleUsage(program)

const end = performance.now() + minutes * 60_000
const isOver = () => performance.now() >= end || program.child.exitCode !== null
const stage = { program, issuer, ledger }
const actors = Promise.all(
  Array.from({ length: Number(values.actors) }, () => actor(stage, isOver)),
)

/** Longer than the longest cooldown: made-up keys may have used up the fetch that a new key asks for. */
const ANNOUNCED = 32_000
const events = { rotations: 0, appRestarts: 0, issuerRestarts: 0 }

/** Resolves with whether the run goes on. */
const goesOn = async (ms: number): Promise<boolean> => {
  await until(isOver, 'over', ms).catch(() => undefined)
  return !isOver()
}

async function disturb(): Promise<void> {
  while (await goesOn(3_000)) {
    issuer.announce()
    if (!(await goesOn(ANNOUNCED))) return
    issuer.adopt()
    events.rotations += 1
    if (!(await goesOn(2_000))) return
    const isUp = ledger.excuse()
    await app.stop()
    await pause(500)
    await app.restart()
    isUp()
    events.appRestarts += 1
    if (!(await goesOn(3_000))) return
    await issuer.stop()
    await pause(3_000)
    await issuer.restart()
    events.issuerRestarts += 1
  }
}
await Promise.all([actors, disturb()])

const taken = samples.end().filter(({ at }) => at >= WARM_UP)
await until(() => program.usage().descriptors <= atStart + 5, 'rid of connections').catch(() => 0)
const descriptorsAtEnd = program.usage().descriptors
const inFlight = await program.metric('claimgate_requests_in_flight')
const tunnels = await program.metric('claimgate_tunnels_open')
program.child.kill('SIGTERM')
const { code } = await program.exit
await owner.end()

const rss = quarters(taken, (sample) => sample.rss)
const heap = quarters(taken, (sample) => sample.heap)
const descriptors = quarters(taken, (sample) => sample.descriptors)
const wrong = [...ledger.wrongs.values()].reduce((sum, n) => sum + n, 0)
for (const [what, times] of ledger.wrongs) console.log(`WRONG ${times} times: ${what}`)
const kinds = [...ledger.counts].map(([kind, n]) => `${kind} ${n}`).join(', ')
console.log(`traffic: ${kinds}`)
console.log(
  `events: ${events.rotations} rotations, ${events.appRestarts} restarts of the app, ` +
    `${events.issuerRestarts} of the key set endpoint, ${ledger.excused()} requests excused by a restart of the app, ${ledger.overloaded()} refused by an overloaded machine`,
)
console.log(
  `soak: ${minutes} min, ${[...ledger.counts.values()].reduce((a, b) => a + b, 0)} requests, ` +
    `${wrong} wrong decisions, exit ${code}, ` +
    `RSS ${rss.first.mean.toFixed(0)} -> ${rss.last.mean.toFixed(0)} MB (${slopePerHour(taken, (s) => s.rss).toFixed(1)} MB/h), ` +
    `heap after collection ${heap.first.lowest.toFixed(0)} -> ${heap.last.lowest.toFixed(0)} MB, ` +
    `descriptors ${descriptors.first.mean.toFixed(0)} -> ${descriptors.last.mean.toFixed(0)}, ` +
    `${atStart} at start and ${descriptorsAtEnd} at the end, ` +
    `${inFlight} requests and ${tunnels} tunnels left`,
)
const isGood =
  wrong === 0 &&
  code === 0 &&
  heap.last.lowest - heap.first.lowest < LEAK &&
  rss.last.mean - rss.first.mean < BREATH &&
  descriptorsAtEnd <= atStart + 5 &&
  inFlight === 0 &&
  tunnels === 0
process.exitCode = isGood ? 0 : 1
