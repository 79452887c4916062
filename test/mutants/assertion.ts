import { type Mutant, mutantsOf } from './mutant.ts'

/** From the header lines to what the signature vouches for. */
export const ASSERTION: readonly Mutant[] = [
  ...mutantsOf(
    'assertion/take.ts',
    ['assertion/take'],
    [
      [
        'a request without assertion has an empty one',
        "if (found === undefined) throw new RejectedError('ERR_ASSERTION_MISSING')",
        "if (found === undefined) return ''",
      ],
      [
        'an empty assertion is malformed',
        "if (assertion === '') throw new RejectedError('ERR_ASSERTION_EMPTY')",
        '',
      ],
      [
        'an assertion may be of any size',
        "if (assertion.length > MAX_ASSERTION_SIZE) throw new RejectedError('ERR_ASSERTION_TOO_LARGE')",
        '',
      ],
      [
        'the longest assertion is too long',
        'assertion.length > MAX_ASSERTION_SIZE',
        'assertion.length >= MAX_ASSERTION_SIZE',
      ],
      [
        'two assertions joined by a comma are malformed',
        "if (assertion.includes(',') && JOINED_BY_COMMA.test(assertion))",
        'if (false)',
      ],
      ['anything with a comma is a duplicate', ' && JOINED_BY_COMMA.test(assertion)', ''],
      [
        'the first of several assertions counts',
        "if (spellings > 1) throw new RejectedError('ERR_ASSERTION_DUPLICATE')",
        '',
      ],
      [
        'another spelling beside the assertion is not seen',
        '|| foldName(name) !== wanted) continue',
        '|| name.toLowerCase() !== assertionHeader.toLowerCase()) continue',
      ],
      [
        'another spelling is an assertion',
        'if (name.toLowerCase() === assertionHeader.toLowerCase()) found =',
        'found =',
      ],
      [
        'any name of that length is an assertion',
        ' || foldName(name) !== wanted) continue',
        ') continue',
      ],
      [
        'the name is compared with its case',
        'name.toLowerCase() === assertionHeader.toLowerCase()',
        'name === assertionHeader',
      ],
      ['Unicode blanks are taken off', 'return trimBlanks(found)', 'return found.trim()'],
      ['blanks are left on', 'return trimBlanks(found)', 'return found'],
      ['any scheme of Authorization is read', "value !== '' && scheme !== 'bearer'", 'false'],
      [
        'the scheme must be spelt Bearer',
        'value.slice(0, 6).toLowerCase()',
        "value.slice(0, 6).replace('Bearer', 'bearer')",
      ],
      [
        'Bearer and the assertion may be joined by anything',
        "if (value[6] !== ' ') throw new RejectedError('ERR_ASSERTION_MISSING')",
        '',
      ],
      ['Bearer is expected in every header', "=== 'authorization'\n", "!== 'authorization'\n"],
    ],
  ),
  ...mutantsOf(
    'assertion/compact.ts',
    ['assertion/compact'],
    [
      ['there may be one part', 'if (second === -1)', 'if (second === -2)'],
      [
        'a fourth part is a part of the second',
        "assertion.indexOf('.', first + 1)",
        "assertion.lastIndexOf('.')",
      ],
      [
        'the header may be of any size',
        "if (first > MAX_HEADER_PART) throw new RejectedError('ERR_ASSERTION_TOO_LARGE')",
        '',
      ],
      ['the longest header is too long', 'first > MAX_HEADER_PART', 'first >= MAX_HEADER_PART'],
      [
        'base64url may have any spelling',
        "bytes.toString('base64url') === part ? bytes",
        'part !== undefined ? bytes',
      ],
      [
        'the header may have any spelling',
        'const bytes = decode(part)\n',
        "const bytes = Buffer.from(part, 'base64url')\n",
      ],
      [
        'the payload may have any spelling',
        'decode(assertion.slice(first + 1, second))',
        "Buffer.from(assertion.slice(first + 1, second), 'base64url')",
      ],
      [
        'the signature may have any spelling',
        'decode(assertion.slice(second + 1))',
        "Buffer.from(assertion.slice(second + 1), 'base64url')",
      ],
      ['more than the first two parts is signed', 'assertion.slice(0, second)', 'assertion'],
      [
        'a header that is no object counts as empty',
        'bytes && parseObject(bytes)',
        'bytes && (parseObject(bytes) ?? {})',
      ],
      [
        'any number of headers is remembered',
        'if (known.length >= MAX_HEADERS) known.length = 0',
        '',
      ],
      [
        'headers of any length are remembered',
        ' || part.length > MAX_REMEMBERED_PART) return members',
        ') return members',
      ],
      ['a remembered header can be changed', 'Object.freeze(members)', 'members'],
      [
        'no header is remembered',
        'known.push({ part: copy, members: Object.freeze(members) })',
        '',
      ],
      ['the first header counts for all', 'if (before.part === part) return', 'return'],
    ],
  ),
  ...mutantsOf(
    'assertion/signature.ts',
    ['assertion/signature'],
    [
      ['any algorithm is allowed', ' && algorithms.includes(alg)', ''],
      ['critical extensions are passed over', '  refuseExtensions(jws)\n', ''],
      ['crit is passed over', "['crit', 'b64', 'zip']", "['b64', 'zip']"],
      ['b64 is passed over', "['crit', 'b64', 'zip']", "['crit', 'zip']"],
      ['zip is passed over', "['crit', 'b64', 'zip']", "['crit', 'b64']"],
      [
        'an extension that is null or false is passed over',
        'if (Object.hasOwn(header, name))',
        'if (header[name])',
      ],
      [
        'a kid that is no text counts as none',
        "throw new RejectedError('ERR_ASSERTION_KEY_UNKNOWN', { reason: 'kid is not a string' })",
        'return undefined',
      ],
      ['a kid is required', "if (!Object.hasOwn(header, 'kid')) return undefined", ''],
      [
        'keys are looked up before the algorithm is decided',
        'const alg = allowedAlgorithm(jws, deps.algorithms)',
        "deps.keySet.find('', '')\n  const alg = allowedAlgorithm(jws, deps.algorithms)",
      ],
      [
        'any key verifies, whatever kid says',
        'const known = available(keySet.find(alg, kid))',
        'const known = available(keySet.find(alg, undefined))',
      ],
      [
        'each assertion asks for a refresh',
        'return known.length > 0 ? known : lookAgain(keySet, alg, kid)',
        'return lookAgain(keySet, alg, kid)',
      ],
      [
        'what another look at the source brings is not tried',
        'found instanceof Promise ? await found : found',
        'found instanceof Promise ? [] : found',
      ],
      ['an unknown key asks for no refresh', '  await keySet.refreshForUnknownKey(kid)\n', ''],
      ['what a refresh brought is not used', 'if (refreshed.length > 0) return refreshed', ''],
      [
        'an unknown key is a bad signature',
        "throw new RejectedError('ERR_ASSERTION_KEY_UNKNOWN')\n",
        'return []\n',
      ],
      [
        'without a usable key set every key is unknown',
        "throw new RejectedError('ERR_KEY_SET_UNAVAILABLE')",
        'return []',
      ],
      ['any number of keys is tried', 'keys.slice(0, MAX_KEYS_TRIED)', 'keys'],
      ['only the first key is tried', 'keys.slice(0, MAX_KEYS_TRIED)', 'keys.slice(0, 1)'],
      [
        'one key less is tried',
        'keys.slice(0, MAX_KEYS_TRIED)',
        'keys.slice(0, MAX_KEYS_TRIED - 1)',
      ],
      [
        'no signature is checked',
        'if (isGood) return',
        'if (isGood !== undefined) return',
        { tests: ['assertion/signature', 'assertion/verify', 'server'] },
      ],
      [
        'a check that throws or fails later vouches',
        '    let isGood = false\n',
        '    let isGood = true\n',
      ],
      [
        'a key that does not fit ends the request',
        '    } catch {\n',
        "    } catch {\n      throw new TypeError('key')\n",
      ],
      ['what is not exactly true vouches', ' === true\n', '\n'],
      [
        'a check that is not over vouches',
        '(outcome instanceof Promise ? await outcome : outcome) === true',
        'outcome instanceof Promise || outcome === true',
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/signature.ts',
    ['key-set/signature'],
    [
      [
        'a signature of any length has two halves',
        'if (signature.length !== half * 2) return undefined',
        '',
      ],
      [
        'a number may be negative',
        'const isHigh = (byte: number | undefined): boolean => byte !== undefined && byte > 0x7f',
        'const isHigh = (byte: number | undefined): boolean => byte !== undefined && byte > 0xff',
      ],
      ['leading zeros stay', 'while (from < to - 1 && bytes[from] === 0) from++', ''],
      ['the zero is no number', 'from < to - 1', 'from < to'],
      ['a long signature has a short length', 'size < 0x80', 'size < 0x100'],
      [
        'what was in the memory before stays',
        'if (isHigh(bytes[from])) der[at++] = 0',
        'if (isHigh(bytes[from])) at++',
      ],
      [
        'an error in the pool is a good signature',
        'resolve(error === null && isGood)',
        'resolve(error !== null || isGood || signed.length > 0)',
      ],
      [
        'any length of salt is good',
        'saltLength: constants.RSA_PSS_SALTLEN_DIGEST',
        'saltLength: constants.RSA_PSS_SALTLEN_AUTO',
      ],
      ['PSS is not asked for', 'scheme.isPss === true ? { ...PSS, key } : key', 'key'],
    ],
  ),
  ...mutantsOf(
    'assertion/verify.ts',
    ['assertion/verify'],
    [
      ['no claim decides', 'if (refusal !== undefined) throw', 'if (refusal === null) throw'],
      [
        'the first rule on claims is left out',
        'for (const check of checks)',
        'for (const check of checks.slice(1))',
      ],
      [
        'the last rule on claims is left out',
        'for (const check of checks)',
        'for (const check of checks.slice(0, -1))',
      ],
      [
        'claims that are no object count as none',
        'const claims = parseObject(payload)',
        'const claims = parseObject(payload) ?? {}',
      ],
      [
        'the clock stands still',
        'const moment = { now: now(), subject }',
        'const moment = { now: 0, subject }',
      ],
      [
        'sub may always be empty',
        'const moment = { now: now(), subject }',
        "const moment = { now: now(), subject: 'may-be-empty' as const }",
      ],
      ['nobody is anonymous', "anonymous: claims['sub'] === ''", 'anonymous: false'],
    ],
  ),
]
