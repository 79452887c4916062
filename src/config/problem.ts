import type { Problem } from '../errors.ts'
import { quote } from './input.ts'
import { nearest } from './nearest.ts'

/** The one form of all problems: `<subject> must <what is wanted>, got <what was found>`. */
export const problem = (source: string, subject: string, must: string, got: string): Problem => ({
  source,
  message: `${subject} must ${must}, got ${got}`,
})

/** A name that is no setting, with the nearest one that is. */
export function unknownName(source: string, name: string, known: readonly string[]): Problem {
  const close = nearest(name, known)
  const hint = close === undefined ? '' : ` (the nearest is ${close})`
  return problem(source, 'the name', `be that of a setting${hint}`, quote(name))
}
