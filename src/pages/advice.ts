import type { Code } from '../errors.ts'

/** What people are told about a refusal. Between backticks stands what is typed somewhere. */
export interface Advice {
  /** For whoever sees the page: what happened, without a word of ours. */
  readonly heading: string
  /** What they can do themselves. */
  readonly visitor: string
  /** What whoever runs the app can change; the setting first that helps most often. */
  readonly operator: string
}

const RELOAD = 'Reload the page. If that does not help, sign out and in again.'
const TELL = 'Tell the people who run this app, and give them the request number below.'
const ELSE_TELL =
  'If it goes on like this, tell the people who run this app, and give them the request number below.'
const THEN_TELL =
  'If you did just that, tell the people who run this app, and give them the request number below.'
const UNPROVEN = 'Who you are could not be proven'
const FOREIGN = 'It did not come from Pomerium as it is: find out who made it.'

/** One row for each code; docs/errors.md says the same at more length. */
export const ADVICE: Readonly<Record<Code, Advice>> = {
  ERR_REQUEST_MALFORMED: {
    heading: 'This request could not be understood',
    visitor: `Go back and try again. If a link led you here, the link may be broken. ${ELSE_TELL}`,
    operator:
      'The request has more than one reading or cannot be forwarded as it is. The log line of this request has the `reason`. Pomerium sends no such request by itself, so look at the client.',
  },
  ERR_ASSERTION_MISSING: {
    heading: 'You are not signed in here',
    visitor: `Open the app by its usual address, so that you pass its sign-in. ${THEN_TELL}`,
    operator:
      'Set `pass_identity_headers: true` on the Pomerium route; if Pomerium puts the assertion into another header, name it in `assertion_header`. If the request went around Pomerium, this answer is right.',
  },
  ERR_ASSERTION_EMPTY: {
    heading: UNPROVEN,
    visitor: `It is not your fault, and trying again will not help. ${TELL}`,
    operator:
      'Pomerium sent an empty assertion, for want of a key to sign with. Set `signing_key` in Pomerium.',
  },
  ERR_ASSERTION_DUPLICATE: {
    heading: UNPROVEN,
    visitor: `Two proofs of who you are came at once. Turn off browser extensions that add headers, and try again. If you have none, tell the people who run this app, and give them the request number below.`,
    operator:
      'In Pomerium use either `pass_identity_headers` or `set_request_headers` to send the assertion, not both. If it happens to one user only, their client sends the second one.',
  },
  ERR_ASSERTION_TOO_LARGE: {
    heading: 'There is too much to say about you',
    visitor: `Your account is probably in very many groups, more than fit into a request. ${TELL}`,
    operator:
      'The assertion grows with the groups of the user. Send fewer of them: `jwt_groups_filter` in Pomerium Enterprise, or what the identity provider says.',
  },
  ERR_ASSERTION_MALFORMED: {
    heading: UNPROVEN,
    visitor: `${RELOAD} ${ELSE_TELL}`,
    operator: `What came in the header that \`assertion_header\` names is no signed assertion. ${FOREIGN} With \`Authorization\`, a token of the app's own has this effect.`,
  },
  ERR_ASSERTION_ALGORITHM: {
    heading: UNPROVEN,
    visitor: `It is not your fault, and trying again will not help. ${TELL}`,
    operator:
      'The assertion is signed with an algorithm that `algorithms` does not name. If the signing key of Pomerium is an RSA key, set `algorithms: RS256`.',
  },
  ERR_ASSERTION_CRITICAL: {
    heading: UNPROVEN,
    visitor: `${RELOAD} ${ELSE_TELL}`,
    operator: `The assertion asks for an extension of the standard that Pomerium never uses. ${FOREIGN}`,
  },
  ERR_ASSERTION_KEY_UNKNOWN: {
    heading: UNPROVEN,
    visitor: `The keys may just have been changed. Wait a minute and reload the page. ${ELSE_TELL}`,
    operator:
      'Pomerium signed with a key that is not in the key set. Give all its replicas the same `signing_key`, and see that `jwks_uri` or `jwks_file` belongs to this very Pomerium. The log line `key set loaded` names the known keys.',
  },
  ERR_ASSERTION_SIGNATURE: {
    heading: UNPROVEN,
    visitor: `${RELOAD} ${ELSE_TELL}`,
    operator:
      'The signature does not fit the key. If all requests fail, the key set (or `jwks_file`) belongs to another signing key. If one fails, somebody tried.',
  },
  ERR_ASSERTION_ISSUER: {
    heading: UNPROVEN,
    visitor: `It is not your fault, and trying again will not help. ${TELL}`,
    operator:
      'The assertion has another issuer than `issuer` (or the one that `route` gives). It is compared letter by letter, with scheme and final slash. `claimgate check` shows what is wanted; `jwt_issuer_format` in Pomerium decides what is sent.',
  },
  ERR_ASSERTION_AUDIENCE: {
    heading: 'You are signed in, but to another app',
    visitor: `Open this app by its own address. ${THEN_TELL}`,
    operator:
      "The assertion was made for another app behind the same Pomerium. Set `route` to the `from` URL of this app's route (or its host in `audience`), and let each route lead to the claimgate of its own app.",
  },
  ERR_ASSERTION_EXPIRED: {
    heading: 'Your sign-in has run out',
    visitor: `${RELOAD} ${ELSE_TELL}`,
    operator:
      'The assertion is older than it may be. If all requests fail, one of the clocks is wrong: keep Pomerium and claimgate on NTP. `claimgate_assertion_age_seconds` shows the difference. With Pomerium before v0.27 turn `max_assertion_age` off.',
  },
  ERR_ASSERTION_NOT_YET_VALID: {
    heading: 'Your sign-in is not valid yet',
    visitor: `Wait a minute and reload the page. ${ELSE_TELL}`,
    operator:
      'The clock of Pomerium is ahead of that of claimgate. Keep both on NTP; a larger `clock_skew` only hides it.',
  },
  ERR_ASSERTION_CLAIM: {
    heading: 'Something about your account cannot be passed on',
    visitor: `Trying again will not help: something that is said about you, your name for example, is absent or has a form that the app cannot take. ${TELL}`,
    operator:
      'The log line of this request has the `reason`, but not the value. Mend the value at the identity provider, or send another claim or another `encoding` in `identity_headers`.',
  },
  ERR_ASSERTION_ANONYMOUS: {
    heading: 'Please sign in first',
    visitor: `This app wants to know who you are. Sign in, and open it again. If nobody asks you to sign in, tell the people who run it, and give them the request number below.`,
    operator:
      'Pomerium let the visitor in without signing in. Remove `allow_public_unauthenticated_access` from the route; or, if visitors without a name are welcome, set `allow_anonymous: true` (for preflights alone `cors_preflight: allow`).',
  },
  ERR_ASSERTION_REPLAYED: {
    heading: 'This request came a second time',
    visitor: `Reload the page. ${ELSE_TELL}`,
    operator:
      'With `replay_guard: on` each assertion passes once. Something between Pomerium and claimgate sends requests twice, or somebody sends a recorded one. Pomerium before v0.27 sends one assertion for a whole session: turn the guard off there.',
  },
  ERR_POLICY_DENIED: {
    heading: 'You may not open this',
    visitor:
      'If you think that you should be let in, ask the people who run this app, and give them the request number below.',
    operator:
      'No entry of `allow` matches. The log line of this request has the user, the method and the path; compare them with the entries. An entry with `paths: [/.claimgate]` lets everybody look up their own claims on the status page.',
  },
  ERR_KEY_SET_UNAVAILABLE: {
    heading: 'Nobody can be let in right now',
    visitor: `It is not your fault: what is needed to check who you are cannot be reached. Try again in a few seconds. ${ELSE_TELL}`,
    operator:
      '`/readyz` on the admin port says why, and `claimgate doctor` goes the way to it step by step. Most often the CA of Pomerium is unknown (`jwks_ca_file`), or its name leads elsewhere from in here (`jwks_connect`).',
  },
  ERR_UPSTREAM_UNAVAILABLE: {
    heading: 'The app does not answer',
    visitor: `You were let in, but the app itself is not there. Try again in a moment. ${ELSE_TELL}`,
    operator:
      'The connection to the app failed, or it ended before an answer began. See that the app runs and that `upstream` leads to it; with `https:` also `upstream_ca_file` and `upstream_server_name`. The log line of this request has the `reason`.',
  },
  ERR_UPSTREAM_TIMEOUT: {
    heading: 'The app takes too long',
    visitor: `You were let in, but the app itself did not answer in time. Try again in a moment. ${ELSE_TELL}`,
    operator:
      'There was no connection within `upstream_connect_timeout`, or no answer within `upstream_response_timeout`. Find out why the app is slow, or raise the latter.',
  },
  ERR_OVERLOADED: {
    heading: 'Too many people at once',
    visitor: `Try again in a few seconds. ${ELSE_TELL}`,
    operator:
      'A limit is reached; the log line of this request has the `reason`. Run more instances or give the process more CPU; raise `max_connections` only where there is memory for them.',
  },
  ERR_DRAINING: {
    heading: 'Just a moment',
    visitor: `This part of the service is being replaced. Reload the page. ${ELSE_TELL}`,
    operator:
      'This instance is shutting down. Routers that look at `/readyz` send new connections elsewhere; `drain_delay` gives them the time.',
  },
}

/** Without a code, by the status alone: what is true of every refusal that has it. */
const BY_STATUS: Readonly<Record<number, readonly [heading: string, visitor: string]>> = {
  401: [UNPROVEN, `Open the app by its usual address and sign in. ${THEN_TELL}`],
  403: [ADVICE.ERR_POLICY_DENIED.heading, ADVICE.ERR_POLICY_DENIED.visitor],
  405: ['This cannot be done here', 'Go back. What was asked for is not possible at this address.'],
  408: ['The request took too long', 'It did not arrive in time. Try again.'],
  431: [
    'The request is too large',
    `Too much was sent along, too many cookies for example. Delete the cookies of this site and try again. ${ELSE_TELL}`,
  ],
  502: [ADVICE.ERR_UPSTREAM_UNAVAILABLE.heading, ADVICE.ERR_UPSTREAM_UNAVAILABLE.visitor],
  503: ['Not possible right now', `Try again in a few seconds. ${ELSE_TELL}`],
  504: [ADVICE.ERR_UPSTREAM_TIMEOUT.heading, ADVICE.ERR_UPSTREAM_TIMEOUT.visitor],
}

/** What a page says about a status, whatever was the reason; nothing for operators, who have the log. */
export function adviceByStatus(status: number): Omit<Advice, 'operator'> {
  const { heading, visitor } = ADVICE.ERR_REQUEST_MALFORMED
  const [general, todo] = BY_STATUS[status] ?? [heading, visitor]
  return { heading: general, visitor: todo }
}
