import type { Claims } from './assertion/claims.ts'
import { takeAssertion } from './assertion/take.ts'
import type { Verified, Verify } from './assertion/verify.ts'
import { trimBlanks } from './blanks.ts'
import type { Config } from './config/config.ts'
import { type MissingRule, RejectedError } from './errors.ts'
import type { IdentityLines } from './identity/headers.ts'
import type { IsAllowed, Visit } from './policy/allow.ts'
import type { ReplayGuard } from './policy/replay.ts'
import { checkHead, pathOf, type RequestHead } from './proxy/gate.ts'
import { bodyFollows, type HeaderLines, headerValue } from './proxy/headers.ts'

/** The request may be forwarded, with these fields added. */
export interface Decision {
  readonly lines: HeaderLines
  /** `undefined` where no valid assertion was needed and none came. */
  readonly verified: Verified | undefined
  /** List items left out of identity headers. */
  readonly dropped: number
  /** Under `report_only`: what the request would have been refused with. */
  readonly wouldRefuse?: RejectedError
}

/** Resolves when the request may be forwarded; otherwise throws {@link RejectedError}. */
export type Decide = (head: RequestHead) => Promise<Decision>

/** A refusal of somebody who is known: the assertion was verified, and what came after it said no. */
export class KnownUserError extends RejectedError {
  readonly verified: Verified

  constructor(refusal: RejectedError, verified: Verified) {
    const { code, status, reason, missingRule } = refusal
    super(code, {
      status,
      missingRule,
      ...(reason === undefined ? {} : { reason }),
      cause: refusal,
    })
    this.verified = verified
  }
}

export interface DecideOptions {
  readonly config: Pick<
    Config,
    'assertionHeader' | 'forwardAssertion' | 'allowAnonymous' | 'publicPaths' | 'corsPreflight'
  >
  readonly verify: Verify
  readonly identityHeaders: (claims: Claims) => IdentityLines
  /** `undefined`: an assertion may come any number of times. */
  readonly replayGuard: Pick<ReplayGuard, 'admit'> | undefined
  /** What `allow` says about a verified request. */
  readonly isAllowed: IsAllowed
  /** What no rule has for a visit that may not pass; without it a refusal does not say. */
  readonly missingRule?: (visit: Visit) => MissingRule
  /** New work would only wait. */
  readonly isOverloaded: () => boolean
}

const NOTHING: Decision = { lines: [], verified: undefined, dropped: 0 }

/** The whole decision about one request, in the order in which its parts may be trusted. It does no I/O of its own. */
export function createDecide(options: DecideOptions): Decide {
  const { config, verify, identityHeaders, replayGuard, isAllowed, isOverloaded } = options
  const publicPaths: ReadonlySet<string> = new Set(config.publicPaths)
  const subject = config.allowAnonymous ? 'may-be-empty' : 'required'

  const grant = (head: RequestHead, assertion: string, verified: Verified, mayPass: IsAllowed) => {
    const identity = naming(verified, () => {
      replayGuard?.admit(verified.claims)
      const visit = visitOf(head, verified)
      if (!mayPass(visit)) throw denied(options.missingRule?.(visit))
      return verified.anonymous ? NOTHING : identityHeaders(verified.claims)
    })
    const passedOn = config.forwardAssertion ? assertionLine(config.assertionHeader, assertion) : []
    return { lines: [...identity.lines, ...passedOn], verified, dropped: identity.dropped }
  }
  const kindOf = (head: RequestHead): Kind => {
    const preflight = config.corsPreflight !== 'verify' && isPreflight(head)
    if (publicPaths.has(pathOf(head.target)) || (preflight && config.corsPreflight === 'pass'))
      return 'public'
    return preflight ? 'preflight' : 'private'
  }

  const identify = async (head: RequestHead): Promise<Decision> => {
    const assertion = takeAssertion(head.rawHeaders, config.assertionHeader)
    const verified = await verify(assertion, 'may-be-empty')
    return grant(head, assertion, verified, everybody)
  }

  return async (head) => {
    checkHead(head)
    if (isOverloaded()) throw new RejectedError('ERR_OVERLOADED', { reason: 'event loop is late' })
    const kind = kindOf(head)
    if (kind === 'public') return identify(head).catch(withoutIdentity)
    if (kind === 'preflight') return identify(head)
    // Here, and with nothing to catch: what is waited for or thrown once more costs each request 1 µs.
    const assertion = takeAssertion(head.rawHeaders, config.assertionHeader)
    return grant(head, assertion, await verify(assertion, subject), isAllowed)
  }
}

/** `public`: no assertion is needed. `preflight`: a genuine one, of nobody in particular, is enough. */
type Kind = 'public' | 'preflight' | 'private'

/** Lets a refusal by `judge` say whom it refuses. */
function naming<T>(verified: Verified, judge: () => T): T {
  try {
    return judge()
  } catch (error) {
    throw error instanceof RejectedError ? new KnownUserError(error, verified) : error
  }
}

/** Where no identity is needed, there is nothing for the rules to judge. */
const everybody: IsAllowed = () => true

function denied(missingRule: MissingRule | undefined): RejectedError {
  const reason = 'no entry of allow matches'
  return new RejectedError('ERR_POLICY_DENIED', {
    reason: missingRule === undefined ? reason : `${reason} the ${missingRule}`,
    missingRule,
  })
}

/** Whoever is nobody has no claims, whatever the assertion says of them. */
const visitOf = ({ method, target }: RequestHead, { claims, anonymous }: Verified): Visit => ({
  method,
  path: pathOf(target),
  claims: anonymous ? {} : claims,
})

/** No assertion is needed here: one that does not verify counts as none. Faults of ours are still faults. */
function withoutIdentity(error: unknown): Decision {
  if (error instanceof RejectedError) return NOTHING
  throw error
}

function assertionLine(header: string, assertion: string): HeaderLines {
  return [header, header.toLowerCase() === 'authorization' ? `Bearer ${assertion}` : assertion]
}

/** A genuine preflight (Fetch standard, CORS-preflight fetch). */
function isPreflight({ method, rawHeaders }: RequestHead): boolean {
  return (
    method === 'OPTIONS' &&
    isGiven(headerValue(rawHeaders, 'origin')) &&
    isGiven(headerValue(rawHeaders, 'access-control-request-method')) &&
    !bodyFollows(rawHeaders)
  )
}

const isGiven = (value: string | undefined): boolean =>
  value !== undefined && trimBlanks(value) !== ''
