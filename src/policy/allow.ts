import { type Claims, readClaim } from '../assertion/claims.ts'
import type { AllowEntry } from '../config/config.ts'
import { createGlobs } from '../identity/glob.ts'
import { scalarText } from '../identity/text.ts'
import { createPaths } from './paths.ts'

/** What the rules look at. */
export interface Visit {
  readonly method: string
  /** Of the target as it was sent, without the query. */
  readonly path: string
  /** Of a verified assertion; nothing for one that names nobody. */
  readonly claims: Claims
}

/** Whether some entry lets the request pass. */
export type IsAllowed = (visit: Visit) => boolean

/** `undefined`, for a setting that is not set, lets everybody pass; a list without entries nobody. */
export function createAllow(entries: readonly AllowEntry[] | undefined): IsAllowed {
  if (entries === undefined) return () => true
  const rules = entries.map(createRule)
  return (visit) => rules.some((matches) => matches(visit))
}

function createRule({ paths, methods, claims }: AllowEntry): IsAllowed {
  const isPath = paths === undefined ? () => true : createPaths(paths)
  const rules = claims.map(({ claim, globs }) => ({ claim, matches: createGlobs(globs) }))
  return (visit) =>
    (methods === undefined || methods.includes(visit.method)) &&
    isPath(visit.path) &&
    rules.every(({ claim, matches }) => valuesOf(visit.claims, claim).some(matches))
}

/** The texts of a claim: of each item where it is a list. What is empty or has no text of its own is none of them. */
function valuesOf(claims: Claims, name: string): string[] {
  const claim = readClaim(claims, name)
  const items: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  return items.map(textOf).filter((text) => text !== '')
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  try {
    return scalarText(value)
  } catch {
    // An object, a number whose digits are lost, text that does not mean what it looks like.
    return ''
  }
}
