import { caddy } from './caddy.ts'
import { claimgate, claimgateNone, claimgateQuiet } from './claimgate.ts'
import { envoyCache, envoyJwt } from './envoy.ts'
import { goJwt } from './go.ts'
import { haproxy, haproxyJwt } from './haproxy.ts'
import { nginx, nginxLua } from './nginx.ts'
import { bare, bareVerify, composition } from './node.ts'
import type { Peer } from './peer.ts'

/** In the order of the tables: what verifies, then what only forwards. */
export const PEERS: readonly Peer[] = [
  claimgate,
  claimgateQuiet,
  haproxyJwt,
  nginxLua,
  envoyJwt,
  envoyCache,
  goJwt,
  composition,
  bareVerify,
  claimgateNone,
  bare,
  caddy,
  nginx,
  haproxy,
]

/** A peer that is left out, and why. */
export interface Absence {
  readonly peer: Peer
  readonly why: string
}

/** Those of `peers` that can run here, and those that cannot. */
export function takeRoll(peers: readonly Peer[]): {
  readonly present: readonly Peer[]
  readonly absent: readonly Absence[]
} {
  const asked = peers.map((peer) => ({ peer, why: peer.available() }))
  return {
    present: asked.filter(({ why }) => why === undefined).map(({ peer }) => peer),
    absent: asked.flatMap(({ peer, why }) => (why === undefined ? [] : [{ peer, why }])),
  }
}
