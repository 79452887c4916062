import { randomUUID } from 'node:crypto'
import { assertionClaims } from './assertion.ts'
import type { SigningKey } from './signing-key.ts'
import type { DemoUser } from './users.ts'

/** The assertion that a request of `user` to `host` carries; a fresh one, with its own `jti`, at every call. */
export type Mint = (host: string, user: DemoUser | undefined) => Promise<string>

/** Signs with `signingKey`. A user keeps one session id (`sid`) for as long as this function lives. */
export const createMint = (signingKey: SigningKey): Mint => {
  const sessions = new Map<string, string>()
  const sessionOf = (user: DemoUser | undefined): string => {
    const id = user?.id ?? ''
    const sid = sessions.get(id) ?? randomUUID()
    sessions.set(id, sid)
    return sid
  }
  return (host, user) => {
    const request = { host, user, jti: randomUUID(), sid: sessionOf(user), now: Date.now() / 1000 }
    return signingKey.sign({ ...assertionClaims(request) })
  }
}
