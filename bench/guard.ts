/**
 * Finds a slow-down in under a minute: `npm run bench:guard`. Compares claimgate with itself without verification, with
 * bare signature checks and with the least that forwards a request, all in the same rounds. The limits are ratios with
 * wide margins: a busy machine slows both sides of them. Ends with 1 when one is exceeded.
 */
import { pathToFileURL } from 'node:url'
import { missingAccounting } from './measure/process.ts'
import { ratioByRound } from './measure/stats.ts'
import { startVerifyMeter } from './measure/verify-meter.ts'
import { measureInRounds, type PeerSamples } from './parts/rounds.ts'
import { cpuOf, efficiency, type Series } from './parts/summary.ts'
import { claimgate, claimgateNone } from './peers/claimgate.ts'
import { bare } from './peers/node.ts'
import { oneCore, pinSelf } from './pin.ts'
import { openStage } from './stage.ts'

export interface Limit {
  readonly name: string
  readonly most: number
  readonly value: number
}

const NAME = 'good'
const ROUNDS = 7

/** What may not be exceeded, with what was found. */
export function limitsOf(all: readonly PeerSamples[], bareChecks: Series): readonly Limit[] {
  const series = (name: string): Series => {
    const entry = all.find(({ peer }) => peer.name === name)
    return entry === undefined ? [] : cpuOf(entry, NAME)
  }
  const verified = series(claimgate.name)
  const none = series(claimgateNone.name)
  const factor = efficiency(all, [claimgate.name, claimgateNone.name], bareChecks, NAME)
  return [
    {
      name: 'CPU verified ÷ without verification',
      most: 5,
      value: ratioByRound(verified, none),
    },
    {
      name: 'verification efficiency, in bare signature checks',
      most: 2,
      value: factor ?? Number.NaN,
    },
    {
      name: 'CPU without verification ÷ bare Node',
      most: 2.5,
      value: ratioByRound(none, series(bare.name)),
    },
  ]
}

/** What was not measured cannot be right. */
export const isExceeded = ({ most, value }: Limit): boolean => !(value <= most)

async function guard(): Promise<void> {
  const impossible = missingAccounting()
  if (impossible !== undefined) {
    console.log(`bench guard: skipped: ${impossible}`)
    return
  }
  const cores = oneCore()
  pinSelf(cores)
  const stage = await openStage({ cores, tokens: 5_000 })
  try {
    const meter = startVerifyMeter(stage)
    const checks: number[] = []
    const scenario = {
      name: NAME,
      set: stage.requests('good'),
      status: 200,
      count: 2_500,
      connections: 16,
      rate: 0,
    }
    const all = await measureInRounds(stage, [claimgate, claimgateNone, bare], [scenario], {
      rounds: ROUNDS,
      warmUp: 10_000,
      withCounters: false,
      tell: () => undefined,
      inEachRound: async () => void checks.push(await meter.measure(2_000)),
    }).finally(() => meter.end())
    const limits = limitsOf(all, checks)
    for (const limit of limits)
      console.log(
        `${isExceeded(limit) ? 'EXCEEDED' : 'ok'}: ${limit.name}: ${limit.value.toFixed(2)}, at most ${limit.most}`,
      )
    process.exitCode = limits.some(isExceeded) ? 1 : 0
  } finally {
    await stage.end()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await guard()
