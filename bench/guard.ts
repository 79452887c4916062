/**
 * Finds a slow-down in under a minute: `npm run bench:guard`. Compares the verifier with bare signature checks, and
 * claimgate with itself without verification and with the least that forwards a request, in the same rounds. The limits
 * are ratios with wide margins: a busy machine slows both sides of them. Ends with 1 when one is exceeded.
 */
import { pathToFileURL } from 'node:url'
import { missingAccounting } from './measure/process.ts'
import { ratioByRound } from './measure/stats.ts'
import { startVerifyMeter } from './measure/verify-meter.ts'
import type { VerifyCost } from './measure/verify-process.ts'
import { measureInRounds, type PeerSamples } from './parts/rounds.ts'
import { cpuOf, type Series } from './parts/summary.ts'
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
const ROUNDS = 9
/** Milliseconds of the whole run, and of one peer's warm-up, on a machine that is busy with other things. */
const ENOUGH = 15_000
const WARM_UP_TIME = 2_000

/** What may not be exceeded, with what was found. */
export function limitsOf(
  all: readonly PeerSamples[],
  checks: readonly VerifyCost[],
): readonly Limit[] {
  const series = (name: string): Series => {
    const entry = all.find(({ peer }) => peer.name === name)
    return entry === undefined ? [] : cpuOf(entry, NAME)
  }
  const verified = series(claimgate.name)
  const none = series(claimgateNone.name)
  return [
    {
      name: 'CPU verified ÷ without verification',
      most: 4,
      value: ratioByRound(verified, none),
    },
    {
      name: 'verifier ÷ bare signature check',
      most: 2.5,
      value: ratioByRound(
        checks.map(({ verifier }) => verifier),
        checks.map(({ bare: check }) => check),
      ),
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
  const begin = performance.now()
  const cores = oneCore()
  pinSelf(cores)
  const stage = await openStage({ cores, tokens: 2_000 })
  try {
    const meter = startVerifyMeter(stage)
    const checks: VerifyCost[] = []
    const scenario = {
      name: NAME,
      set: stage.requests('good'),
      status: 200,
      count: 1_000,
      connections: 16,
      rate: 0,
    }
    const all = await measureInRounds(stage, [claimgate, claimgateNone, bare], [scenario], {
      rounds: ROUNDS,
      isOver: () => performance.now() - begin > ENOUGH,
      warmUp: 15_000,
      warmUpTime: WARM_UP_TIME,
      withCounters: false,
      tell: () => undefined,
      inEachRound: async () => void checks.push(await meter.measure(1_500)),
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
