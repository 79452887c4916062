import { setTimeout as wait } from 'node:timers/promises'
import { createKey } from '../helpers/keys.ts'
import { type Gate, type OpenGate, openInProcess } from './connections/gates.ts'
import { createStamps } from './connections/stamps.ts'
import { count, type Fuzzer, type Late, type Stage, type Tally } from './fuzzer.ts'
import { live, tunnelStart } from './upgrades/client.ts'
import { judgeUpgrade, type Lived } from './upgrades/judge.ts'
import { createScenario } from './upgrades/scenario.ts'
import { type ScriptedUpstream, scriptedUpstream } from './upgrades/scripted-upstream.ts'

const ROUND = 500

/**
 * WebSocket handshakes, good and refused, cut into pieces, with bytes behind them, resets and ends at any moment, before an
 * upstream that accepts, refuses, talks nonsense or nothing. Bytes behind a handshake reach the upstream only after its
 * 101, and then as they were sent; a refused handshake is never seen there; and in the end no socket is left.
 */
export function upgrades(openGate: OpenGate = openInProcess, longestWait = 10_000): Fuzzer {
  return {
    name: 'upgrades',
    unit: 'upgrades',
    lanes: 24,
    round: ROUND,
    open: () => openStage(openGate, longestWait),
  }
}

async function openStage(openGate: OpenGate, longestWait: number): Promise<Stage> {
  const key = createKey()
  const upstream = await scriptedUpstream()
  const gate = await openGate({ upstreamPort: upstream.port, key })
  const stamps = createStamps(key, ROUND)
  const tally: Tally = new Map()
  let lived: Lived[] = []
  let begun = 0
  await gate.inFlight()
  const baseline = openSockets()
  return {
    tally,
    async run(random, index) {
      const good = stamps.good[begun % ROUND]
      if (good === undefined) throw new Error('no assertion left')
      const scenario = createScenario(random, `u${begun++}x`, { good, bad: stamps.bad })
      const received = await live(gate.port, scenario)
      count(tally, tunnelStart(received) === undefined ? statusOf(received) : '101')
      lived.push({ index, scenario, subject: good.sub, received })
      return undefined
    },
    async settle() {
      const left = await untilAtRest({ gate, upstream, baseline }, longestWait)
      const late: Late[] = [...gate.takeFaults(), ...left].map((what) => ({
        index: -1,
        what,
      }))
      const seen = upstream.take()
      gate.takeDecisions()
      for (const each of lived) {
        const what = judgeUpgrade(each, seen.get(each.scenario.id) ?? [])
        seen.delete(each.scenario.id)
        if (what !== undefined)
          late.push({ index: each.index, what: `${what}\n  ${JSON.stringify(each)}` })
      }
      for (const [id, strays] of seen)
        late.push({ index: -1, what: `for ${id}: ${JSON.stringify(strays)}` })
      lived = []
      return late
    },
    async close() {
      await gate.close()
      await upstream.close()
    },
  }
}

const statusOf = (text: string): string => /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 'no answer'

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(TCPSocketWrap|TCPWRAP)$/.test(name)).length

/** Idle keep-alive connections: a few to the upstream, one with both its ends to the admin port. */
const SPARE_SOCKETS = 4

interface Scene {
  readonly gate: Gate
  readonly upstream: ScriptedUpstream
  /** Sockets of this process before the first case. */
  readonly baseline: number
}

/** Waits for the end of all that was begun; resolves with what is left in the end. */
async function untilAtRest(
  { gate, upstream, baseline }: Scene,
  longestWait: number,
): Promise<string[]> {
  const deadline = performance.now() + longestWait
  for (;;) {
    const inFlight = await gate.inFlight()
    const left = { inFlight, upstream: upstream.open(), sockets: openSockets() - baseline }
    if (left.inFlight === 0 && left.upstream === 0 && left.sockets <= SPARE_SOCKETS) return []
    if (performance.now() > deadline) return [`not at rest: ${JSON.stringify(left)}`]
    await wait(10)
  }
}
