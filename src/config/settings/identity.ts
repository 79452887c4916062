import { allow } from '../allow.ts'
import { CORS_PREFLIGHT, SWITCH } from '../config.ts'
import { assertionHeader } from '../header-names.ts'
import { identityHeaders } from '../identity-headers.ts'
import { boolean, choice, list, orWord } from '../kinds.ts'
import { listenTarget } from '../listen.ts'
import { algorithm, exactPath } from '../names.ts'
import { PRESET_NAMES } from '../presets.ts'
import { duration } from '../quantities.ts'
import type { Rows } from '../setting.ts'

/** Where requests come in, who may pass, and what the app is told. */
export const IDENTITY = {
  listen: {
    kind: listenTarget,
    fallback: '0.0.0.0:8000',
    summary: 'Address of the data port, or the path of a Unix socket in its place.',
  },
  admin_listen: {
    kind: orWord('off', listenTarget),
    fallback: '0.0.0.0:8001',
    summary: 'Address of the admin port with health and metrics.',
  },
  preset: {
    kind: { ...choice(PRESET_NAMES), form: 'name' },
    fallback: 'pomerium',
    summary: `Identity headers of a known app: ${PRESET_NAMES.map((name) => `\`${name}\``).join(', ')}. The names of all presets are stripped from clients, whichever is chosen.`,
  },
  identity_headers: {
    kind: identityHeaders,
    fallback: undefined,
    example: 'X-WEBAUTH-USER=email,X-WEBAUTH-GROUPS=groups',
    otherwise: 'from `preset`',
    summary:
      'Headers set from verified claims, `X-WEBAUTH-USER=email,X-WEBAUTH-GROUPS=groups`; replaces those of `preset`. In YAML a map, where a header may have the full form with `claim`, `separator`, `encoding`, `transform`, `only` and `max_bytes`.',
  },
  assertion_header: {
    kind: assertionHeader,
    fallback: 'X-Pomerium-Jwt-Assertion',
    summary:
      'The header that carries the assertion; in `Authorization` it comes with the scheme `Bearer`.',
  },
  forward_assertion: {
    kind: boolean,
    fallback: 'false',
    summary: 'Also pass the verified assertion on to the app.',
  },
  algorithms: {
    kind: list(algorithm),
    fallback: 'ES256',
    summary:
      'Accepted signature algorithms: ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, EdDSA. Never HMAC, never `none`.',
  },
  clock_skew: {
    kind: duration('0s', '5m'),
    fallback: '60s',
    summary: 'Tolerance for `exp`, `nbf` and `iat`, 0s to 5m.',
  },
  max_assertion_age: {
    kind: orWord('off', duration('1s', '24h')),
    fallback: 'off',
    summary:
      'Refuse assertions whose `iat` is older, 1s to 24h. Leave it off before Pomerium v0.27, which copies an older `iat`.',
  },
  allow_anonymous: {
    kind: boolean,
    fallback: 'false',
    summary: 'Accept a verified assertion with an empty `sub`; no identity headers are set for it.',
  },
  public_paths: {
    kind: list(exactPath),
    fallback: undefined,
    example: '/healthz',
    summary:
      'Exact paths served without an assertion. Identity headers are stripped there too, and set when a valid assertion came.',
  },
  cors_preflight: {
    kind: choice(CORS_PREFLIGHT),
    fallback: 'verify',
    summary:
      'What a CORS preflight needs: `verify` the same as any request, `allow` a valid signature but no user, `pass` nothing.',
  },
  allow: {
    kind: allow,
    fallback: undefined,
    summary:
      'Who may pass: entries with `paths`, `methods` and `claims`; a request passes when any entry matches. Without it every user passes.',
  },
  replay_guard: {
    kind: choice(SWITCH),
    fallback: 'off',
    summary:
      'With `on`, each `jti` passes once per process, until its assertion expires. Needs Pomerium v0.27 or newer: before, `jti` names the session.',
  },
} as const satisfies Rows<
  | 'listen'
  | 'admin_listen'
  | 'preset'
  | 'identity_headers'
  | 'assertion_header'
  | 'forward_assertion'
  | 'algorithms'
  | 'clock_skew'
  | 'max_assertion_age'
  | 'allow_anonymous'
  | 'public_paths'
  | 'cors_preflight'
  | 'allow'
  | 'replay_guard'
>
