import { type Input, refuse } from './input.ts'
import type { Kind } from './kinds.ts'

const NOT_YET = ', which is not supported yet'

const refuseForNow = (input: Input, must: string) => {
  const { faults } = refuse(input, must)
  return { faults: faults.map((fault) => ({ ...fault, got: `${fault.got}${NOT_YET}` })) }
}

/**
 * A setting whose feature does not exist: only `off` may be written, so that nobody relies on it; `others` says which
 * values will mean something.
 */
export const offForNow = (others: RegExp): Kind<'off'> => ({
  form: '`off`',
  schema: { const: 'off' },
  read(input) {
    if (input.kind === 'text' && input.text === 'off') return { value: 'off' }
    const isComing = input.kind === 'text' && others.test(input.text)
    return isComing ? refuseForNow(input, 'be off') : refuse(input, 'be off')
  },
})
