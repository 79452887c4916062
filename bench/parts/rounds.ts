import { attempt } from '../attempt.ts'
import type { RequestSet } from '../load/worker.ts'
import { checkConformance } from '../measure/conformance.ts'
import { type Counters, countWhile } from '../measure/perf.ts'
import { processorTime, residentMemory } from '../measure/process.ts'
import { type Latency, rotated } from '../measure/stats.ts'
import type { Peer, RunningPeer } from '../peers/peer.ts'
import type { Stage } from '../stage.ts'

/** One kind of request at one kind of pace. */
export interface Scenario {
  readonly name: string
  readonly set: RequestSet
  readonly status: number
  readonly count: number
  readonly connections: number
  /** Requests each second; `0`: as fast as answers come. */
  readonly rate: number
}

/** What one peer did with one scenario in one round. */
export interface Sample {
  /** Processor time of all its processes for one request, microseconds. */
  readonly cpu: number
  /** Answers each second. */
  readonly rate: number
  readonly latency: Latency
  /** For one request, from a pass of its own; absent where the machine counts none. */
  readonly counters: Counters | undefined
}

/** All samples of one peer, by scenario; the n-th of each is from the n-th round. */
export interface PeerSamples {
  readonly peer: Peer
  readonly version: string
  /** Resident memory before the first round and after the last, KiB. */
  readonly memory: { readonly before: number; readonly after: number }
  readonly samples: ReadonlyMap<string, readonly Sample[]>
}

export interface Plan {
  readonly rounds: number
  /** When so many rounds are done, or more than {@link LEAST_ROUNDS} and this says so, it ends. */
  readonly isOver?: () => boolean
  /** Requests to each peer before anything counts; compilers of the peers' own need tens of thousands. */
  readonly warmUp: number
  /** The warm-up of one peer ends after so many milliseconds; by default it does not. */
  readonly warmUpTime?: number
  readonly withCounters: boolean
  /** Told about every step, for somebody who waits. */
  readonly tell: (text: string) => void
  /** Run once in every round, among the peers. */
  readonly inEachRound?: () => Promise<void>
}

/** Fewer have no median worth the name. */
const LEAST_ROUNDS = 3

interface Entrant {
  readonly peer: Peer
  readonly running: RunningPeer
  readonly samples: Map<string, Sample[]>
  readonly before: number
  offset: number
}

/**
 * Starts all peers, puts them through the conformance cases, warms them up, and then measures all of them in every
 * round, each time in another order. Ends them.
 */
export async function measureInRounds(
  stage: Stage,
  peers: readonly Peer[],
  scenarios: readonly Scenario[],
  plan: Plan,
): Promise<readonly PeerSamples[]> {
  const entrants: Entrant[] = []
  try {
    for (const peer of peers) {
      plan.tell(`start and check ${peer.name}`)
      entrants.push(await enter(stage, peer))
    }
    for (const entrant of entrants) await warmUp(stage, entrant, scenarios, plan)
    for (let round = 0; round < plan.rounds; round++) {
      if (round >= LEAST_ROUNDS && plan.isOver?.()) break
      plan.tell(`round ${round + 1} of ${plan.rounds}`)
      for (const entrant of rotated(entrants, round))
        for (const scenario of scenarios)
          keep(entrant, scenario, await takeSample(stage, entrant, scenario, plan))
      await plan.inEachRound?.()
    }
    return entrants.map(({ peer, running, samples, before }) => ({
      peer,
      version: running.version,
      memory: { before, after: residentMemory(running.pids) },
      samples,
    }))
  } finally {
    for (const { running } of entrants) await running.end()
  }
}

async function enter(stage: Stage, peer: Peer): Promise<Entrant> {
  const running = await peer.start(stage)
  try {
    await checkConformance(peer, running, stage.key)
  } catch (error) {
    await running.end()
    throw error
  }
  return { peer, running, samples: new Map(), before: residentMemory(running.pids), offset: 0 }
}

const jobOf = ({ running: { port }, offset }: Entrant, scenario: Scenario, count: number) => {
  const { set, status, connections, rate } = scenario
  return { kind: 'load', set, status, connections, rate, port, offset, count } as const
}

/** One load of the warm-up. */
const BATCH = 1_000

async function warmUp(
  stage: Stage,
  entrant: Entrant,
  scenarios: readonly Scenario[],
  { warmUp: requests, warmUpTime = Number.POSITIVE_INFINITY, tell }: Plan,
): Promise<void> {
  tell(`warm up ${entrant.peer.name}`)
  const longest = Math.max(...scenarios.map(({ count }) => count))
  const end = performance.now() + warmUpTime
  for (const scenario of scenarios) {
    // In the proportions of the rounds: a megabyte is not sent ten thousand times.
    let left = Math.ceil((requests / scenarios.length) * (scenario.count / longest))
    while (left > 0 && performance.now() < end) {
      const count = Math.min(left, BATCH)
      await attempt(() => stage.run(jobOf(entrant, { ...scenario, rate: 0 }, count)), tell)
      left -= count
    }
  }
}

function keep({ samples }: Entrant, { name }: Scenario, sample: Sample): void {
  samples.set(name, [...(samples.get(name) ?? []), sample])
}

async function takeSample(
  stage: Stage,
  entrant: Entrant,
  scenario: Scenario,
  { withCounters, tell }: Plan,
): Promise<Sample> {
  const { pids } = entrant.running
  const { count, rate } = scenario
  if (rate === 0) await leadIn(stage, entrant, scenario, tell)
  const timed = await attempt(async () => {
    const before = processorTime(pids)
    const { latency, seconds } = await stage.run(jobOf(entrant, scenario, count))
    return { cpu: (processorTime(pids) - before) / 1000 / count, rate: count / seconds, latency }
  }, tell)
  entrant.offset += count
  const isCounted = withCounters && rate === 0 && pids.length > 0
  const counters = isCounted
    ? await attempt(() => countScenario(stage, entrant, scenario), tell)
    : undefined
  return { ...timed, counters }
}

/**
 * A tenth as many requests that nobody counts: while the others had their turns this peer was at rest, and a scenario without a
 * rate asks what a request costs when there is always one more.
 */
async function leadIn(
  stage: Stage,
  entrant: Entrant,
  scenario: Scenario,
  tell: Plan['tell'],
): Promise<void> {
  const count = Math.ceil(scenario.count / 10)
  await attempt(() => stage.run(jobOf(entrant, scenario, count)), tell)
  entrant.offset += count
}

/** Half as many requests as in the pass that is timed. */
async function countScenario(
  stage: Stage,
  entrant: Entrant,
  scenario: Scenario,
): Promise<Counters | undefined> {
  const count = Math.ceil(scenario.count / 2)
  const counted = await countWhile(entrant.running.pids, async () => {
    await stage.run(jobOf(entrant, scenario, count))
  })
  entrant.offset += count
  if (counted === undefined) return undefined
  return { instructions: counted.instructions / count, cycles: counted.cycles / count }
}
