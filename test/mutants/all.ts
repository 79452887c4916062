import { ASSERTION } from './assertion.ts'
import { CLAIMS } from './claims.ts'
import { DECISION } from './decision.ts'
import { FIELDS } from './fields.ts'
import { GATE } from './gate.ts'
import { IDENTITY } from './identity.ts'
import type { Mutant } from './mutant.ts'
import { STRIP } from './strip.ts'

/** In the order in which a request meets what they change. */
export const MUTANTS: readonly Mutant[] = [
  ...GATE,
  ...ASSERTION,
  ...CLAIMS,
  ...DECISION,
  ...STRIP,
  ...IDENTITY,
  ...FIELDS,
]
