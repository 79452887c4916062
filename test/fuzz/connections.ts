import { createKey, type SigningKey } from '../helpers/keys.ts'
import { mutateBytes } from './connections/bytes.ts'
import { visit } from './connections/client.ts'
import { type OpenGate, openInProcess } from './connections/gates.ts'
import type { Visited } from './connections/judge.ts'
import { readRequests } from './connections/reading.ts'
import { recordingUpstream } from './connections/recording-upstream.ts'
import { createPipeline, type Pass, type Passes } from './connections/requests.ts'
import { judgeRound } from './connections/round.ts'
import { createStamps } from './connections/stamps.ts'
import { count, type Fuzzer, type Stage, type Tally } from './fuzzer.ts'
import type { Random } from './random.ts'

const ROUND = 1_000
const PASSES_PER_CASE = 4
/** Untouched requests are answered however busy the machine is, milliseconds. */
const ANSWERED_IN = 60_000

/**
 * Changed bytes of several requests on one connection. What reaches the upstream is, read strictly, a request that the
 * bytes sent hold when read strictly, with its own assertion and its own decision; and a careless reader of the
 * upstream's bytes sees no other requests.
 */
export function connections(name = 'connections', openGate: OpenGate = openInProcess): Fuzzer {
  return { name, unit: 'connections', lanes: 32, round: ROUND, open: () => openStage(openGate) }
}

async function openStage(openGate: OpenGate): Promise<Stage> {
  const key = createKey()
  const upstream = await recordingUpstream()
  const gate = await openGate({ upstreamPort: upstream.port, key })
  const passes = createPasses(key)
  const tally: Tally = new Map()
  let visited: Visited[] = []
  let begun = 0
  return {
    tally,
    async run(random, index) {
      const own = passes[begun++ % passes.length] as Passes
      const plain = createPipeline(random, own).join('')
      const text = mutateBytes(random, plain)
      const { requests, fault } = readRequests(text)
      const isHasty = random.chance(4)
      const isUntouched = text === plain && !isHasty
      const statuses = await visit({
        port: gate.port,
        writes: split(random, text),
        answers: isHasty ? 0 : requests.filter(({ isWhole }) => isWhole).length,
        isClosing: fault !== undefined,
        patience: isUntouched ? ANSWERED_IN : 500,
      })
      for (const status of statuses) count(tally, String(status))
      if (statuses.length === 0) count(tally, 'no answer')
      visited.push({ index, text, requests, passes: own.good, statuses, isUntouched })
      return undefined
    },
    async settle() {
      const late = await judgeRound(visited, { gate, upstream, tally })
      visited = []
      return late
    },
    async close() {
      await gate.close()
      await upstream.close()
    },
  }
}

/** Enough for two rounds: what comes too late is then nobody's, not another case's. */
function createPasses(key: SigningKey): readonly Passes[] {
  const { good, bad } = createStamps(key, 2 * ROUND * PASSES_PER_CASE)
  return Array.from({ length: 2 * ROUND }, (_, i) => {
    const own = good.slice(i * PASSES_PER_CASE, (i + 1) * PASSES_PER_CASE)
    return { bad, good: own as [Pass, ...Pass[]] }
  })
}

/** The bytes in one write, or in up to four with a turn of the loop between; often cut where a head ends. */
function split(random: Random, text: string): string[] {
  if (!random.chance(35)) return [text]
  const headEnds = [...text.matchAll(/\r\n\r\n/g)].map(({ index }) => index + 4)
  const cut = () =>
    headEnds.length > 0 && random.chance(70) ? random.pick(headEnds) : random.int(text.length + 1)
  const cuts = Array.from({ length: random.chance(50) ? 1 : 1 + random.int(3) }, cut)
  const ends = [...cuts.toSorted((a, b) => a - b), text.length]
  return ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end))
}
