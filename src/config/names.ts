import { textInput } from './input.ts'
import { type Kind, type Reading, scalar } from './kinds.ts'

/** An issuer or audience, compared exactly; `*.` may lead it (after `https://` in the URI form of an issuer). */
export const exactName: Kind<string> = scalar(
  'exact name',
  { type: 'string', minLength: 1 },
  (text) => {
    const rest = text.replace(/^(https:\/\/)?\*\.(?=[^./])/, '')
    if (/\s/.test(text)) return { must: 'hold no white space' }
    return rest.includes('*')
      ? { must: 'be an exact name; a wildcard can only lead it, as in *.example.com' }
      : { value: text }
  },
)

const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
] as const

/** A signature algorithm with a public key. */
export const algorithm: Kind<string> = scalar('algorithm', { enum: ALGORITHMS }, (text) => {
  if (/^hs\d/i.test(text))
    return { must: 'be asymmetric: with HMAC everybody who can verify can also sign' }
  if (/^none$/i.test(text))
    return { must: 'be a signature algorithm: with none everybody could sign' }
  return ALGORITHMS.some((name) => name === text)
    ? { value: text }
    : { must: `be one of: ${ALGORITHMS.join(' ')}` }
})

/**
 * A path of its own, compared byte for byte. Refused: what a server behind could read as another path (dot segments,
 * empty segments, `;`, `\`, encoded dots and slashes), wildcards, and `/` alone, which reads like "everything".
 */
export const exactPath: Kind<string> = scalar(
  'path',
  { type: 'string', pattern: '^/.' },
  (text) => {
    const isPlain = /^(\/([\w.~!$&'()+=:@-]|%[\dA-Fa-f]{2})+)+\/?$/.test(text)
    const isAmbiguous = /\/\.{1,2}(\/|$)|%(2e|2f|5c|00)/i.test(text)
    return isPlain && !isAmbiguous
      ? { value: text }
      : {
          must: 'be one exact path such as /healthz, without wildcard, dot segment, empty segment, query or encoded slash; not / alone',
        }
  },
)

/**
 * A path of a rule: exact as in {@link exactPath}, `/` for the start page, or a prefix such as `/admin/*`. A prefix
 * holds nothing that keeps a path from matching it.
 */
export const rulePath: Kind<string> = scalar(
  'path',
  { type: 'string', pattern: '^/' },
  (text): Reading<string> => {
    const exact = text.endsWith('/*') ? text.slice(0, -2) : text
    if (text === '/' || text === '/*') return { value: text }
    const isPath = 'value' in exactPath.read(textInput(exact, ''))
    const isNever = exact !== text && /\/$|%(2[35]|3[bf]|[01]|7f)/i.test(exact)
    return isPath && !isNever
      ? { value: text }
      : {
          must: 'be an exact path such as /healthz or a prefix such as /admin/*, without other wildcards, dot segment, empty segment, query or encoded slash',
        }
  },
)

/** An absolute path of letters, digits and `-._~`: safe to compare with a request target as it came. */
export const plainPath: Kind<string> = scalar(
  'path',
  { type: 'string', pattern: '^/[A-Za-z0-9._~/-]+$' },
  (text) =>
    /^(\/[A-Za-z0-9._~-]+)+$/.test(text) && !/\/\.{1,2}(\/|$)/.test(text)
      ? { value: text }
      : { must: 'be an absolute path of letters, digits, -, ., _ and ~, such as /.claimgate' },
)
