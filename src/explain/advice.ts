import type { Code } from '../errors.ts'

/** The one setting to change on one side. */
export interface Change {
  readonly side: 'claimgate' | 'Pomerium'
  readonly setting: string
  readonly how: string
}

/** Which settings are in effect, as far as the advice depends on it. */
export interface Situation {
  /** `issuer` or `audience` comes from `route`. */
  readonly isDerived: boolean
  /** The setting that names the key set. */
  readonly keySetSetting: 'jwks_file' | 'jwks_uri'
  readonly alg: unknown
  /** Why there are no keys. */
  readonly keySetFailure: string | undefined
}

const claimgate = (setting: string, how: string): Change => ({ side: 'claimgate', setting, how })
const pomerium = (setting: string, how: string): Change => ({ side: 'Pomerium', setting, how })

/** What Pomerium signs with, and what else `algorithms` takes. */
const SIGNS = /^(?:[RP]S(?:256|384|512)|ES(?:256|384|512)|EdDSA|Ed25519)$/

const CLOCK = pomerium('the clock of its machine', 'keep both machines on NTP')

/** Nothing that Pomerium signs is refused like this. */
const STRANGER = claimgate(
  'assertion_header',
  'the header that Pomerium fills; it made no such token',
)

const ADVICE: Readonly<Partial<Record<Code, (situation: Situation) => readonly Change[]>>> = {
  ERR_ASSERTION_MISSING: () => [
    claimgate('assertion_header', 'if Pomerium puts the assertion into another header'),
    pomerium('pass_identity_headers', 'true, on the route or globally'),
  ],
  ERR_ASSERTION_EMPTY: () => [pomerium('signing_key', 'set it: without one Pomerium cannot sign')],
  ERR_ASSERTION_DUPLICATE: () => [
    pomerium(
      'set_request_headers',
      'take the assertion out of it: pass_identity_headers sends it, too',
    ),
  ],
  ERR_ASSERTION_TOO_LARGE: () => [pomerium('jwt_groups_filter', 'send fewer groups')],
  ERR_ASSERTION_MALFORMED: () => [STRANGER],
  ERR_ASSERTION_CRITICAL: () => [STRANGER],
  ERR_ASSERTION_CLAIM: () => [
    pomerium('its version', 'v0.27 and newer send iss, aud, exp and iat with every assertion'),
  ],
  ERR_ASSERTION_ALGORITHM: ({ alg }) =>
    typeof alg === 'string' && SIGNS.test(alg)
      ? [
          claimgate('algorithms', `${alg}, if Pomerium's signing key is of that kind`),
          pomerium('signing_key', 'an EC P-256 key signs with ES256'),
        ]
      : [STRANGER],
  ERR_ASSERTION_KEY_UNKNOWN: ({ keySetSetting }) => [
    claimgate(keySetSetting, 'the key set of the Pomerium that signed this'),
    pomerium('signing_key', 'set it, the same on every replica'),
  ],
  ERR_KEY_SET_UNAVAILABLE: ({ keySetSetting, keySetFailure = '' }) => {
    const named = /\bjwks_(?!timeout)\w+/.exec(keySetFailure.split(';').at(-1) ?? '')?.[0]
    return /no signing key/.test(keySetFailure)
      ? [pomerium('signing_key', 'set it: its key set is empty')]
      : [claimgate(named ?? keySetSetting, 'claimgate doctor looks at the way to it step by step')]
  },
  ERR_ASSERTION_SIGNATURE: ({ keySetSetting }) => [
    claimgate(keySetSetting, 'the key of the Pomerium that signed this, if it did'),
    pomerium('signing_key', 'one key, the same on every replica'),
  ],
  ERR_ASSERTION_ISSUER: ({ isDerived }) => [
    isDerived
      ? claimgate('route', "the route's from URL")
      : claimgate('issuer', 'the name your Pomerium signs with, letter by letter'),
    pomerium('jwt_issuer_format', 'hostOnly or uri; before v0.21.3 it is the authenticate host'),
  ],
  ERR_ASSERTION_AUDIENCE: ({ isDerived }) => [
    isDerived
      ? claimgate('route', "the from URL of this app's route")
      : claimgate('audience', "the host of this app's route"),
    pomerium("the route's to", 'lead each route to the claimgate of its own app'),
  ],
  ERR_ASSERTION_EXPIRED: () => [
    claimgate(
      'clock_skew',
      'only for clocks that differ; else paste a newer token: they live 5 min',
    ),
    CLOCK,
  ],
  ERR_ASSERTION_NOT_YET_VALID: () => [
    claimgate('clock_skew', 'only until the clocks agree'),
    CLOCK,
  ],
  ERR_ASSERTION_REPLAYED: () => [
    claimgate('replay_guard', 'off before Pomerium v0.27; else somebody sends a request twice'),
  ],
  ERR_POLICY_DENIED: () => [
    claimgate('allow', 'an entry for these people and paths, if they may pass'),
  ],
  ERR_ASSERTION_ANONYMOUS: () => [
    claimgate('allow_anonymous', 'true, if people without a login may pass; or public_paths'),
    pomerium('allow_public_unauthenticated_access', 'false: the route lets people in unasked'),
  ],
}

/** `max_assertion_age` refuses with the code of `exp`, a claim for a header with that of a missing one. */
const ADVICE_BY_STEP: Readonly<Record<string, readonly Change[]>> = {
  age: [
    claimgate('max_assertion_age', 'off, or longer; Pomerium before v0.27 copies an older iat'),
  ],
  identity: [
    claimgate('identity_headers', 'another claim, encoding or separator for that header'),
    pomerium('jwt_claims_headers', 'it names the claims beside the standard ones'),
  ],
}

/** At most one setting for each side; none when nothing should be changed to let this token in. */
export function advise(step: string, code: Code, situation: Situation): readonly Change[] {
  return ADVICE_BY_STEP[step] ?? ADVICE[code]?.(situation) ?? []
}

/** What is not a matter of the assertion, or reads differently where only the log is at hand. */
const ADVICE_ON_LOG: Readonly<Partial<Record<Code, readonly Change[]>>> = {
  ERR_ASSERTION_MISSING: [
    claimgate('public_paths', 'the paths that need no user, such as health checks'),
    pomerium('pass_identity_headers', 'true, on the route or globally'),
  ],
  ERR_ASSERTION_ISSUER: [
    claimgate('route', "the route's from URL; or issuer, letter by letter"),
    pomerium('jwt_issuer_format', 'hostOnly or uri; before v0.21.3 it is the authenticate host'),
  ],
  ERR_ASSERTION_AUDIENCE: [
    claimgate('route', "the from URL of this app's route; or audience, its host"),
    pomerium("the route's to", 'lead each route to the claimgate of its own app'),
  ],
  ERR_ASSERTION_ALGORITHM: [
    claimgate('algorithms', "RS256, if Pomerium's signing key is an RSA key"),
    pomerium('signing_key', 'an EC P-256 key signs with ES256'),
  ],
  ERR_ASSERTION_CLAIM: [
    claimgate('identity_headers', 'another claim, encoding or separator, as the reason says'),
    pomerium('its version', 'v0.27 and newer send iss, aud, exp and iat with every assertion'),
  ],
  ERR_REQUEST_MALFORMED: [
    claimgate('max_header_size', 'larger for a 431; else it is the client that sends it'),
  ],
  ERR_UPSTREAM_UNAVAILABLE: [claimgate('upstream', 'where the app listens, or start the app')],
  ERR_UPSTREAM_TIMEOUT: [
    claimgate('upstream_response_timeout', 'longer, or off, for an app that is meant to be slow'),
  ],
  ERR_OVERLOADED: [claimgate('max_connections', 'more, or more instances, as the reason says')],
  ERR_DRAINING: [claimgate('drain_delay', 'longer, so that routers notice first')],
}

/** As {@link advise}, with nothing but the code; never empty. */
export const adviseOnLog = (code: Code): readonly Change[] =>
  ADVICE_ON_LOG[code] ??
  ADVICE[code]?.({
    isDerived: true,
    keySetSetting: 'jwks_uri',
    alg: undefined,
    keySetFailure: undefined,
  }) ??
  []
