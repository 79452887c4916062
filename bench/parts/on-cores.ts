import type { Peer } from '../peers/peer.ts'
import { type Cores, openStage, type Stage } from '../stage.ts'
import { type PartContext, scaled, WARM_UP } from './part.ts'
import { measureInRounds, type PeerSamples, type Scenario } from './rounds.ts'

const TOKENS = 20_000

/** Measures peers on a stage of their own, with everything on these processors. */
export async function measureOnCores(
  { rounds, scale, tell }: PartContext,
  cores: Cores,
  peers: readonly Peer[],
  scenariosOf: (stage: Stage) => readonly Scenario[],
): Promise<readonly PeerSamples[]> {
  const stage = await openStage({ cores, tokens: scaled(TOKENS, scale, 500) })
  try {
    return await measureInRounds(stage, peers, scenariosOf(stage), {
      rounds,
      warmUp: scaled(WARM_UP, scale, 500),
      withCounters: false,
      tell,
    })
  } finally {
    await stage.end()
  }
}
