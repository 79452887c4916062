import { ANSWERS } from './answers.ts'
import { ASSERTION } from './assertion.ts'
import { CLAIMS } from './claims.ts'
import { CONNECTION } from './connection.ts'
import { DECISION } from './decision.ts'
import { FIELDS } from './fields.ts'
import { FORWARD_AUTH } from './forward-auth.ts'
import { FORWARDING } from './forwarding.ts'
import { GATE } from './gate.ts'
import { IDENTITY } from './identity.ts'
import { KEY_MATERIAL } from './key-material.ts'
import { KEY_SET } from './key-set.ts'
import type { Mutant } from './mutant.ts'
import { OPERATIONS } from './operations.ts'
import { SETTINGS } from './settings.ts'
import { STRIP } from './strip.ts'
import { TUNNEL } from './tunnel.ts'
import { UPSTREAM } from './upstream.ts'

/** In the order in which a request meets what they change. */
export const MUTANTS: readonly Mutant[] = [
  ...GATE,
  ...ASSERTION,
  ...CLAIMS,
  ...KEY_SET,
  ...KEY_MATERIAL,
  ...DECISION,
  ...STRIP,
  ...IDENTITY,
  ...FIELDS,
  ...FORWARDING,
  ...UPSTREAM,
  ...FORWARD_AUTH,
  ...TUNNEL,
  ...CONNECTION,
  ...ANSWERS,
  ...OPERATIONS,
  ...SETTINGS,
]
