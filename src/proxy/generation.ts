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
}
