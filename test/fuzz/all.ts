import type { Fuzzer } from './fuzzer.ts'
import { tokens } from './tokens.ts'

export interface Planned {
  readonly fuzzer: Fuzzer
  /** Its part of the time, against the others. */
  readonly share: number
}

export const FUZZERS: readonly Planned[] = [{ fuzzer: tokens(), share: 35 }]
