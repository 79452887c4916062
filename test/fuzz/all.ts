import { openProgram } from './connections/gates.ts'
import { connections } from './connections.ts'
import type { Fuzzer } from './fuzzer.ts'
import { headers } from './headers.ts'
import { settings } from './settings.ts'
import { tokens } from './tokens.ts'
import { upgrades } from './upgrades.ts'

export interface Planned {
  readonly fuzzer: Fuzzer
  /** Its part of the time, against the others. */
  readonly share: number
}

export const FUZZERS: readonly Planned[] = [
  { fuzzer: tokens(), share: 35 },
  { fuzzer: connections(), share: 30 },
  { fuzzer: connections('program', openProgram), share: 10 },
  { fuzzer: upgrades(), share: 15 },
  { fuzzer: headers(), share: 5 },
  { fuzzer: settings(), share: 5 },
]
