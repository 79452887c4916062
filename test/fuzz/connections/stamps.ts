import { createKey, type SigningKey } from '../../helpers/keys.ts'
import { mint } from '../../helpers/mint.ts'
import type { Pass } from './requests.ts'

const DAY = 86_400

export interface Stamps {
  readonly good: readonly Pass[]
  /** Refused, each for another reason. */
  readonly bad: readonly [string, ...string[]]
}

/** Assertions for the real clock: `count` users of their own, and some that are refused. */
export function createStamps(key: SigningKey, count: number): Stamps {
  const now = Math.floor(Date.now() / 1000)
  const claims = { exp: now + DAY, email: undefined, groups: undefined, name: undefined }
  const good = Array.from({ length: count }, (_, i) => {
    const names = { sub: `user-${i}`, jti: `jti-${i}` }
    return { ...names, assertion: mint({ key, now, claims: { ...claims, ...names } }) }
  })
  const bad = [
    mint({ key, now, claims: { ...claims, exp: now - DAY } }),
    mint({ key, now, claims: { ...claims, aud: 'other.example.com' } }),
    mint({ key: { ...createKey(), kid: key.kid }, now, claims }),
    'a.b.c',
    '',
  ] as const
  return { good, bad }
}
