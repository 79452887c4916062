import type { AllowEntry } from '../config/config.ts'
import type { MissingRule } from '../errors.ts'
import type { Visit } from './allow.ts'
import { createPaths } from './paths.ts'

/**
 * Makes the function that says of a visit which no entry lets pass how far the nearest entry went. It tells the kind of what
 * is missing and never what would have matched.
 */
export function createMissing(entries: readonly AllowEntry[] = []): (visit: Visit) => MissingRule {
  const rules = entries.map(({ paths, methods }) => ({
    isPath: paths === undefined ? () => true : createPaths(paths),
    isMethod: (method: string) => methods === undefined || methods.includes(method),
  }))
  return ({ path, method }) => {
    const near = rules.filter(({ isPath }) => isPath(path))
    if (near.length === 0) return 'path'
    return near.some(({ isMethod }) => isMethod(method)) ? 'claims' : 'method'
  }
}
