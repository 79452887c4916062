import { type Input, refuse } from './input.ts'
import type { Kind } from './kinds.ts'

const NOT_YET = ', which is not supported yet'

const refuseForNow = (input: Input, must: string) => {
  const { faults } = refuse(input, must)
  return { faults: faults.map((fault) => ({ ...fault, got: `${fault.got}${NOT_YET}` })) }
}

/** A setting whose feature does not exist: setting it is refused, so that nobody relies on it. */
export const notYet: Kind<undefined> = {
  form: 'nothing yet',
  schema: { not: {} },
  read: (input) => refuseForNow(input, 'not be set'),
}
