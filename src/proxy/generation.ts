import type { Decision } from '../decision.ts'
import type { Answer } from '../pages/problem.ts'
import type { Forward } from './forward.ts'
import type { RequestHeaderRules } from './headers.ts'
import type { Recorder } from './recorder.ts'
import type { OpenTunnel } from './tunnel.ts'

/**
 * What comes of one reading of the settings, as requests use it. A request asks for it once, at its beginning, and keeps it
 * to its end, whatever the settings become meanwhile.
 */
export interface Generation {
  readonly recorder: Recorder
  readonly forward: Forward
  readonly openTunnel: OpenTunnel
  readonly headerRules: RequestHeaderRules
  /** Instead of forwarding: what a request that may pass is answered with. `undefined` for a proxy. */
  readonly answerOf: ((decision: Decision) => Answer) | undefined
}
