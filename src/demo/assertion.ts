import type { DemoUser } from './users.ts'

/** Seconds between `iat` and `exp`: Pomerium's five minutes. */
export const ASSERTION_LIFETIME = 300

/** The claims of one assertion, with the names and types that Pomerium v0.33 sends. */
export interface AssertionClaims {
  readonly iss: string
  readonly aud: string
  readonly jti: string
  readonly iat: number
  readonly exp: number
  readonly sub: string
  readonly user: string
  readonly email: string
  readonly groups: readonly string[]
  readonly sid: string
  readonly name: string
}

export interface AssertionRequest {
  /** The route's host name without a port: both issuer and audience. */
  readonly host: string
  /** `undefined` is a visitor nobody signed in: Pomerium then signs empty strings, not an error. */
  readonly user: DemoUser | undefined
  /** Must differ for every request. */
  readonly jti: string
  readonly sid: string
  /** Seconds since the epoch. */
  readonly now: number
}

/** Pomerium's whole claim set for one request, no more and no less. */
export const assertionClaims = (request: AssertionRequest): AssertionClaims => {
  const { host, user, jti, sid } = request
  const iat = Math.floor(request.now)
  return {
    iss: host,
    aud: host,
    jti,
    iat,
    exp: iat + ASSERTION_LIFETIME,
    sub: user?.id ?? '',
    user: user?.id ?? '',
    email: user?.email ?? '',
    groups: user?.groups ?? [],
    sid: user === undefined ? '' : sid,
    name: user?.name ?? '',
  }
}
